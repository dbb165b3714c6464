#pragma once

#include "kernels/kernel.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace shoal::kernels {

/// Softmax, or its logarithm, of float32 along the middle axis of a plain tensor seen as
/// [outer,axis,inner]. Where the axis is the innermost, by oneDNN; where not, many neighbours at a
/// time, and a single one in the same way: it may be a part of many, and has to get their bits.
/// `inner` is nullopt when there are no axes behind. Null where oneDNN does not do it, as with
/// extents of 0.
std::unique_ptr<kernel> make_softmax(std::int64_t outer, std::int64_t axis,
                                     std::optional<std::int64_t> inner, bool logarithm,
                                     int threads);

} // namespace shoal::kernels
