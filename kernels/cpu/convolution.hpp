#pragma once

#include "kernels/activation.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/window.hpp"

#include <memory>

namespace shoal::kernels {

/// How a convolution is computed.
enum class convolution_way : std::uint8_t {
  fastest,  ///< as oneDNN likes best for these extents
  winograd, ///< by Winograd's algorithm, or not at all
  /// Every element of the result is summed in the same order whatever the extents of the image, the
  /// batch and the threads, or not at all: a crop has the same bits as the same place in the whole.
  /// `fastest` where the processor has none such.
  steady
};

/// One convolution, of float32, in the terms of ONNX (see kernels/reference/convolution.hpp).
/// Inputs: 0 source, 1 weights, 2 bias, 3 residual.
struct convolution_problem {
  shape source;  ///< [N,C,spatial...], 1 to 3 spatial axes
  shape weights; ///< [M,C/groups,kernel...]; [C,M/groups,kernel...] when transposed
  shape target;  ///< [N,M,spatial...]
  window at;
  std::int64_t groups = 1;
  bool transposed = false;
  bool has_bias = false;
  bool has_residual = false; ///< input 3, of the extents of the target, is added
  activation then = {};      ///< applied last
  convolution_way way = convolution_way::fastest;
};

/// By oneDNN; packs its weights. It chooses its layouts for itself alone. Null when oneDNN does not
/// do it, as with extents of 0 or images of 2^31 pixels. Winograd's algorithm (Lavin and Gray, Fast
/// Algorithms for Convolutional Neural Networks, 2015) is there for dense 3×3 windows of stride 1
/// on processors with AVX-512.
std::unique_ptr<packing_kernel> make_convolution(const convolution_problem& problem, int threads);

/// Whether `convolution_way::steady` is what it says: with AVX-512. What oneDNN has for AVX2 rounds
/// elements at the ends of rows in another way.
bool has_steady_convolutions();

} // namespace shoal::kernels
