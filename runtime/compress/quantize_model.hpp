#pragma once

#include "runtime/compress/value_ranges.hpp"

namespace shoal {

/// What became of a model.
struct quantized_model {
  graph model;
  std::size_t quantized_nodes = 0; ///< with weights of 8 bits
  std::size_t quantized_values = 0;
  bool per_channel = true; ///< false: opset too low, one scale per tensor of weights
};

/// `model` with QuantizeLinear and DequantizeLinear around its convolutions and products with
/// constant float32 weights, and around the sums, joins and pools between convolutions: uint8
/// activations whose ranges are seen on `samples`, symmetric int8 weights with a scale per output
/// channel (one per tensor below opset 13), int32 biases. Batch normalisation is folded first.
/// Standard ONNX: other programs run it, too. `unsupported` below opset 10 and when the model has
/// nothing to quantise.
result<quantized_model> quantize_model(const graph& model, std::span<const model_sample> samples,
                                       const range_options& options);

} // namespace shoal
