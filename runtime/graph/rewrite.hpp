#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace shoal {

/// Computes one node from its inputs, all constant; null where an optional input is left out.
/// `evaluate_node` of the session layer is one.
using node_evaluator =
    std::function<result<std::vector<tensor>>(const graph_node&, std::span<const tensor* const>)>;

/// One switch per rule, in the order in which they are applied.
struct rewrite_options {
  /// Every float16 and bfloat16 value inside the graph becomes float32; inputs and outputs keep
  /// their types, with a Cast behind or before them. For devices without half arithmetic. More
  /// precise than the original, so not equal bit for bit.
  bool promote_half = false;
  /// Nodes that no output depends on.
  bool remove_dead_nodes = true;
  /// Identity, Dropout in inference, Cast to the type that the value has, Concat of one, Transpose
  /// that keeps the order.
  bool remove_identities = true;
  /// DequantizeLinear before, or both before and QuantizeLinear behind, an operator on real numbers
  /// into the operator on 8-bit integers: Conv, Gemm and MatMul with constant weights, Add, Mul,
  /// Concat, Sigmoid, LeakyRelu and average pools; MaxPool and what moves elements where both sides
  /// have the same scale. A quantised result is at most one step off.
  bool fuse_quantized = true;
  /// Nodes whose inputs are all constant; needs `evaluate`.
  bool fold_constants = true;
  /// BatchNormalization into the Conv, ConvTranspose or Gemm before it, if that has constant
  /// float32 weights.
  bool fold_batch_norm = true;
  /// Conv + Add into com.microsoft FusedConv with a fourth input, where both operands have the same
  /// shape: for all inputs, as `symbolic_shapes` proves it, or, where that proves nothing, for
  /// those of `types`. What relied on `types` holds for inputs of these types only.
  bool fuse_residual = true;
  /// Conv + Relu, LeakyRelu, Sigmoid, Tanh, HardSigmoid or Clip with constant bounds into
  /// com.microsoft FusedConv.
  bool fuse_activation = true;
  /// Transposes one behind the other, or with elementwise operators between them, into one, or none
  /// if they cancel.
  bool join_transposes = true;
  /// Attention written out, its scale constant, its mask added or put in by a Where, behind it the
  /// Transpose that joins the heads, into ScaledDotProductAttention of the domain shoal.
  bool fuse_attention = true;
  /// 0.5 x (1 + erf(x / sqrt(2))), its approximation by tanh, and x sigmoid(a x), whatever the
  /// order of the factors, into com.microsoft Gelu, FastGelu and QuickGelu.
  bool fuse_gelu = true;
  /// The formula of a normalisation over the last axis, with constant scale and shift, into
  /// LayerNormalization of the domain shoal.
  bool fuse_layer_norm = true;
  /// Add + LayerNormalization over the last axis into AddLayerNormalization of the domain shoal,
  /// which still gives the sum where something else reads it.
  bool fuse_added_norm = true;
  /// MatMul by a constant matrix + a constant row into BiasedMatMul of the domain shoal.
  bool fuse_bias = true;
  /// A Transpose of the last two axes into the product that reads it: transA and transB of Gemm, or
  /// of com.microsoft FusedMatMul, which a MatMul becomes.
  bool fuse_transposes = true;

  node_evaluator evaluate = {};
  /// What folding may make of one node, at most.
  std::uint64_t max_folded_bytes = std::uint64_t{16} << 20;
  /// The type of every value of the graph, by `value_id`, for given inputs; empty when not known.
  std::span<const tensor_type> types = {};

  /// Every switch off.
  static rewrite_options none();
};

/// A graph that computes the same outputs from the same inputs, under the same names. A value that
/// is a graph output or has another reader is never fused away; a fused node has the name of the
/// first of its nodes. Nodes that break a rule of their operator are left for shape inference to
/// refuse. `invalid_argument` if `promote_half` meets an input or output whose element type neither
/// the graph nor `types` tells.
result<graph> rewrite(const graph& model, const rewrite_options& options = {});

} // namespace shoal
