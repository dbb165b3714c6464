#pragma once

#include "kernels/kernel.hpp"

#include <memory>

namespace shoal::kernels {

/// A kernel that copies its only input, `dims` of `type` in `from`, to its only output in `to`.
/// Padding of blocked channels is written as zeros. Layouts other than plain need rank >= 2.
std::unique_ptr<kernel> make_reorder(const shape& dims, dtype type, layout from, layout to,
                                     int threads);

} // namespace shoal::kernels
