#pragma once

#include "kernels/kernel.hpp"

#include <memory>

namespace shoal::kernels {

/// Copies input 0 to output 0 from one layout to another.
std::unique_ptr<kernel> make_reorder(const shape& dims, dtype type, layout from, layout to,
                                     int threads);

} // namespace shoal::kernels
