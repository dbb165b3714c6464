#pragma once

#include "kernels/kernel.hpp"
#include "kernels/window.hpp"

#include <memory>

namespace shoal::kernels {

enum class pooling : std::uint8_t {
  max,                 ///< padding left out
  average,             ///< of the taps inside the source
  average_with_padding ///< the padding that the window states counts as zeros
};

/// Pools [N,C,spatial...] of float32, and max those of 8-bit integers, by oneDNN (see
/// kernels/reference/pooling.hpp). The largest of some numbers is exact, so max follows the layout
/// of `produced` if it is fast in that; averages have their own. Null where oneDNN does not do it
/// or means something else.
std::unique_ptr<kernel> make_pooling(pooling function, const shape& source, const shape& target,
                                     const window& at, dtype type, layout produced, int threads);

} // namespace shoal::kernels
