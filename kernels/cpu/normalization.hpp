#pragma once

#include "kernels/kernel.hpp"

#include <memory>

namespace shoal::kernels {

/// The coefficients of a batch normalisation, as vectors of one float per channel.
struct batch_coefficients {
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* mean = nullptr;
  const float* variance = nullptr;
};

/// Batch normalisation of float32 [N,C,...] (inputs: x, scale, shift, mean, variance) as one
/// multiplication and one addition per element, so that every layout gives the same bits: it works
/// in that of its producer. `constants` are read now, unless they are null; then inputs 1 to 4 are
/// read in every run.
std::unique_ptr<kernel> make_batch_normalization(const shape& dims,
                                                 const batch_coefficients& constants,
                                                 double epsilon, layout produced);

/// Instance normalisation of float32 [N,C,...] (inputs: x, scale, shift), plain; sums in double.
std::unique_ptr<kernel> make_instance_normalization(double epsilon);

/// Layer normalisation of float32 (inputs: x, scale and, if `shifted`, shift) by oneDNN, over rows
/// of `inner` elements, of which scale and shift have as many. Null where oneDNN does not do it.
std::unique_ptr<kernel> make_layer_normalization(std::int64_t rows, std::int64_t inner,
                                                 float epsilon, bool shifted, int threads);

/// Normalisation by `size` neighbouring channels of float32 [N,C,spatial...], by oneDNN. Null where
/// oneDNN does not do it, as for an even size.
std::unique_ptr<kernel> make_local_response_normalization(const shape& dims, std::int64_t size,
                                                          float alpha, float beta, float bias,
                                                          int threads);

} // namespace shoal::kernels
