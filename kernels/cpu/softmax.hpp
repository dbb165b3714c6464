#pragma once

#include "kernels/kernel.hpp"

#include <memory>

namespace shoal::kernels {

/// Softmax, or its logarithm, of float32 along `axis` of `dims`, by oneDNN. Its kernels want the
/// axis innermost in memory: where it is not, the tensor is turned in scratch and back, except that
/// axis 1 of what comes channels_last already is. Null where oneDNN does not do it.
std::unique_ptr<kernel> make_softmax(const shape& dims, int axis, bool logarithm, layout produced,
                                     int threads);

} // namespace shoal::kernels
