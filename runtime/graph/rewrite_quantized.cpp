#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal::rewrite_rules {
namespace {

constexpr std::string_view microsoft = "com.microsoft";

/// Integers and what they stand for: the two sides of a DequantizeLinear or QuantizeLinear.
struct quantized {
  value_id values = no_value; ///< the integers
  value_id scale = no_value, zero = no_value;
  tensor scales;          ///< float32
  dtype type = dtype::u8; ///< of the integers: u8 or i8
  std::int64_t axis = 1;

  /// Whether one scale is for all.
  bool single() const { return scales.element_count() == 1; }
};

bool is_either(const graph_editor& g, std::size_t n, std::string_view op) {
  if (!g.alive(n)) return false;
  const auto& def = *g.node(n).definition;
  return def.name == op && (def.domain.empty() || def.domain == microsoft);
}

/// The integers of 8 bits on one side of node `n`, if scale and zero point are constant.
std::optional<quantized> sides_of(graph_editor& g, std::size_t n, value_id integers) {
  quantized q;
  q.values = integers;
  q.scale = g.input(n, 1);
  q.zero = g.input(n, 2);
  const auto* scales = g.constant(q.scale);
  q.axis = g.node(n).attrs.get_int("axis", 1);
  const bool suits = scales != nullptr && scales->element_type() == dtype::f32 &&
                     scales->dims().rank() <= 1 && g.node(n).attrs.get_int("block_size", 0) == 0;
  if (!suits) return std::nullopt;
  q.scales = *scales;
  if (q.zero == no_value) {
    const auto known = g.element_type(integers);
    if (known != dtype::u8 && known != dtype::i8) return std::nullopt;
    auto zeros = tensor::allocate({*known, q.scales.dims()});
    if (!zeros) return std::nullopt;
    std::fill_n(zeros->mutable_data(), zeros->byte_size(), std::byte{0});
    q.zero = g.add_constant(g.node(n).name + "/zero_point", *std::move(zeros));
  }
  const auto* zero = g.constant(q.zero);
  if (zero == nullptr) return std::nullopt;
  q.type = zero->element_type();
  if (q.type != dtype::u8 && q.type != dtype::i8) return std::nullopt;
  return q;
}

/// What `id`, the result of a DequantizeLinear, stands for.
std::optional<quantized> dequantized(graph_editor& g, value_id id) {
  if (id == no_value) return std::nullopt;
  const auto n = g.producer(id);
  if (!n || !is_either(g, *n, "DequantizeLinear")) return std::nullopt;
  return sides_of(g, *n, g.input(*n, 0));
}

std::int32_t zero_of(const graph_editor& g, const quantized& q) {
  const auto& zero = *g.constant(q.zero);
  return q.type == dtype::u8 ? zero.values<std::uint8_t>()[0] : zero.values<std::int8_t>()[0];
}

/// Whether saturation alone does what this Relu or Clip does before the values are quantised.
bool is_saturation(const graph_editor& g, std::size_t n, const quantized& to) {
  const std::int32_t lowest = to.type == dtype::u8 ? 0 : -128;
  if (zero_of(g, to) != lowest) return false;
  if (g.is(n, "Relu")) return true;
  if (!g.is(n, "Clip")) return false;
  const auto bound = [&](std::size_t i, std::string_view name, float fallback) {
    const auto* constant = g.constant(g.input(n, i));
    if (constant != nullptr && constant->element_type() == dtype::f32 &&
        constant->element_count() == 1)
      return constant->values<float>()[0];
    const bool unknown = g.input(n, i) != no_value;
    return unknown ? std::numeric_limits<float>::quiet_NaN()
                   : g.node(n).attrs.get_float(name, fallback);
  };
  const float low = bound(1, "min", std::numeric_limits<float>::lowest());
  const float high = bound(2, "max", std::numeric_limits<float>::max());
  const float most = to.scales.values<float>()[0] * 255;
  return low == 0 && high >= most * 0.999f;
}

class quantized_fusion {
 public:
  explicit quantized_fusion(graph_editor& g) : g_(g) {}

  void run() {
    for (std::size_t n = 0; n < g_.node_count(); ++n)
      if (is_either(g_, n, "QuantizeLinear")) fuse_into(n);
    // What is left ends in real numbers.
    for (std::size_t n = 0; n < g_.node_count(); ++n)
      if (g_.is(n, "MatMul"))
        fuse_matmul(n);
      else if (g_.is(n, "Gemm"))
        fuse_gemm(n, n, {}, nullptr);
  }

 private:
  /// The node before QuantizeLinear `q`, in between perhaps an activation that saturation does.
  void fuse_into(std::size_t q) {
    const auto target = sides_of(g_, q, g_.node(q).outputs[0]);
    if (!target || !target->single()) return;
    auto before = g_.private_producer(g_.input(q, 0), q);
    std::vector<std::size_t> gone;
    if (before && is_saturation(g_, *before, *target)) {
      gone.push_back(*before);
      before = g_.private_producer(g_.input(*before, 0), *before);
    }
    if (!before) return;
    const auto n = *before;
    gone.push_back(n);
    if (g_.is(n, "Conv"))
      fuse_conv(n, q, gone, *target);
    else if (g_.is(n, "Gemm"))
      fuse_gemm(n, q, gone, &*target);
    else if (g_.is(n, "Add") || g_.is(n, "Mul"))
      fuse_binary(n, q, gone, *target);
    else if (g_.is(n, "Concat"))
      fuse_concat(n, q, gone, *target);
    else
      fuse_unary(n, q, gone, *target);
  }

  /// Puts `op` in the place of node `last`, with name and attributes of node `first`.
  bool put(std::size_t first, std::size_t last, const std::vector<std::size_t>& gone,
           std::string_view op, std::string_view domain, std::vector<value_id> inputs) {
    auto made = g_.node(first);
    if (!domain.empty()) made.opset = 1;
    const auto definition = find_operator(op, domain, made.opset, made.name);
    if (!definition) return false;
    made.definition = *definition;
    made.inputs = std::move(inputs);
    made.outputs = g_.node(last).outputs;
    for (const auto n : gone)
      if (n != last) g_.remove(n);
    g_.replace(last, std::move(made));
    return true;
  }

  static void append(std::vector<value_id>& inputs, const quantized& q) {
    inputs.insert(inputs.end(), {q.values, q.scale, q.zero});
  }

  /// The bias as int32 in units of the sums: as it is if it is stored so, else rounded to them.
  /// `no_value` when there is none; nothing when it cannot be had.
  std::optional<value_id> integer_bias(value_id bias, const quantized& x, const quantized& w,
                                       std::int64_t channels) {
    if (bias == no_value) return no_value;
    if (const auto n = g_.producer(bias); n && is_either(g_, *n, "DequantizeLinear")) {
      const auto* stored = g_.constant(g_.input(*n, 0));
      const auto* scale = g_.constant(g_.input(*n, 1));
      const auto* zero = g_.constant(g_.input(*n, 2));
      const bool integers = stored != nullptr && stored->element_type() == dtype::i32 &&
                            stored->dims() == shape{channels};
      const bool zero_free =
          g_.input(*n, 2) == no_value ||
          (zero != nullptr && zero->element_type() == dtype::i32 &&
           std::ranges::all_of(zero->values<std::int32_t>(), [](auto z) { return z == 0; }));
      if (integers && zero_free && scale != nullptr && in_units_of_sums(*scale, x, w))
        return g_.input(*n, 0);
      return std::nullopt;
    }
    const auto* real = g_.constant(bias);
    if (real == nullptr || real->element_type() != dtype::f32 || real->dims() != shape{channels})
      return std::nullopt;
    return rounded_bias(bias, *real, x, w);
  }

  static float unit(const quantized& x, const quantized& w, std::size_t channel) {
    return x.scales.values<float>()[0] * w.scales.values<float>()[w.single() ? 0 : channel];
  }

  static bool in_units_of_sums(const tensor& scale, const quantized& x, const quantized& w) {
    if (scale.element_type() != dtype::f32) return false;
    const auto count =
        static_cast<std::size_t>(std::max(scale.element_count(), w.scales.element_count()));
    if (scale.element_count() != 1 && scale.element_count() != w.scales.element_count() &&
        !w.single())
      return false;
    for (std::size_t i = 0; i < count; ++i) {
      const float wanted = unit(x, w, i);
      const float given = scale.values<float>()[scale.element_count() == 1 ? 0 : i];
      if (!(std::abs(given - wanted) <= 1e-5f * wanted)) return false;
    }
    return true;
  }

  std::optional<value_id> rounded_bias(value_id bias, const tensor& real, const quantized& x,
                                       const quantized& w) {
    auto made = tensor::allocate({dtype::i32, real.dims()});
    if (!made) return std::nullopt;
    for (std::size_t i = 0; i < real.values<float>().size(); ++i) {
      const double steps = std::nearbyint(static_cast<double>(real.values<float>()[i]) /
                                          static_cast<double>(unit(x, w, i)));
      if (!(std::abs(steps) < 1 << 30)) return std::nullopt;
      made->mutable_values<std::int32_t>()[i] = static_cast<std::int32_t>(steps);
    }
    return g_.add_constant(g_.value(bias).name + "/int32", *std::move(made));
  }

  /// The constant weights behind a DequantizeLinear, whose scales, if several, run along `axis`.
  std::optional<quantized> weights(value_id id, int rank, int axis) {
    auto w = dequantized(g_, id);
    const auto* stored = w ? g_.constant(w->values) : nullptr;
    if (stored == nullptr || (rank != 0 && stored->dims().rank() != rank)) return std::nullopt;
    const auto own = w->axis < 0 ? w->axis + stored->dims().rank() : w->axis;
    if (!w->single() && (own != axis || w->scales.element_count() != stored->dims()[axis]))
      return std::nullopt;
    return w;
  }

  /// An operand with one scale and zero point.
  std::optional<quantized> operand(value_id id) {
    auto q = dequantized(g_, id);
    return q && q->single() ? q : std::nullopt;
  }

  void fuse_conv(std::size_t n, std::size_t q, const std::vector<std::size_t>& gone,
                 const quantized& y) {
    const auto x = operand(g_.input(n, 0)), w = weights(g_.input(n, 1), 0, 0);
    if (!x || !w) return;
    const auto bias = integer_bias(g_.input(n, 2), *x, *w, g_.constant(w->values)->dims()[0]);
    if (!bias) return;
    std::vector<value_id> inputs;
    append(inputs, *x);
    append(inputs, *w);
    inputs.insert(inputs.end(), {y.scale, y.zero});
    if (*bias != no_value) inputs.push_back(*bias);
    put(n, q, gone, "QLinearConv", "", std::move(inputs));
  }

  /// To the quantised `y`, or to real numbers without one.
  void fuse_gemm(std::size_t n, std::size_t last, const std::vector<std::size_t>& gone,
                 const quantized* y) {
    const auto& attrs = g_.node(n).attrs;
    const bool turned = attrs.get_int("transB", 0) != 0;
    const auto a = operand(g_.input(n, 0)), b = weights(g_.input(n, 1), 2, turned ? 0 : 1);
    if (!a || !b || attrs.get_float("alpha", 1) != 1 || attrs.get_float("beta", 1) != 1) return;
    const auto bias =
        integer_bias(g_.input(n, 2), *a, *b, g_.constant(b->values)->dims()[turned ? 0 : 1]);
    if (!bias) return;
    std::vector<value_id> inputs;
    append(inputs, *a);
    append(inputs, *b);
    inputs.push_back(*bias);
    if (y != nullptr) inputs.insert(inputs.end(), {y->scale, y->zero});
    put(n, last, gone, "QGemm", microsoft, std::move(inputs));
  }

  /// A product with constant weights, and the addition of a bias if that is all that reads it.
  void fuse_matmul(std::size_t n) {
    const auto a = operand(g_.input(n, 0)), b = weights(g_.input(n, 1), 2, 1);
    if (!a || !b) return;
    const auto columns = g_.constant(b->values)->dims()[1];
    std::vector<value_id> inputs{a->values, b->values, a->scale, b->scale, a->zero, b->zero};
    for (std::size_t add = n + 1; add < g_.node_count(); ++add) {
      if (!g_.is(add, "Add") || g_.node(add).inputs.size() != 2) continue;
      for (const std::size_t side : {0, 1}) {
        const auto* bias = g_.constant(g_.input(add, 1 - side));
        if (g_.private_producer(g_.input(add, side), add) != n || bias == nullptr ||
            bias->element_type() != dtype::f32 || bias->dims() != shape{columns})
          continue;
        inputs.push_back(g_.input(add, 1 - side));
        put(n, add, {n}, "MatMulIntegerToFloat", microsoft, std::move(inputs));
        return;
      }
    }
    put(n, n, {}, "MatMulIntegerToFloat", microsoft, std::move(inputs));
  }

  void fuse_binary(std::size_t n, std::size_t q, const std::vector<std::size_t>& gone,
                   const quantized& y) {
    const auto a = operand(g_.input(n, 0)), b = operand(g_.input(n, 1));
    if (!a || !b || a->type != y.type || b->type != y.type) return;
    std::vector<value_id> inputs;
    append(inputs, *a);
    append(inputs, *b);
    inputs.insert(inputs.end(), {y.scale, y.zero});
    put(n, q, gone, g_.is(n, "Add") ? "QLinearAdd" : "QLinearMul", microsoft, std::move(inputs));
  }

  void fuse_concat(std::size_t n, std::size_t q, const std::vector<std::size_t>& gone,
                   const quantized& y) {
    std::vector<value_id> inputs{y.scale, y.zero};
    for (const auto id : std::vector<value_id>(g_.node(n).inputs)) {
      const auto part = operand(id);
      if (!part || part->type != y.type) return;
      append(inputs, *part);
    }
    put(n, q, gone, "QLinearConcat", microsoft, std::move(inputs));
  }

  void fuse_unary(std::size_t n, std::size_t q, const std::vector<std::size_t>& gone,
                  const quantized& y) {
    constexpr std::pair<std::string_view, std::string_view> counterparts[] = {
        {"Sigmoid", "QLinearSigmoid"},
        {"LeakyRelu", "QLinearLeakyRelu"},
        {"AveragePool", "QLinearAveragePool"},
        {"GlobalAveragePool", "QLinearGlobalAveragePool"}};
    constexpr std::string_view movers[] = {"MaxPool",   "Reshape", "Flatten",
                                           "Transpose", "Squeeze", "Unsqueeze"};
    const auto x = operand(g_.input(n, 0));
    if (!x || x->type != y.type) return;
    for (const auto& [real, integer] : counterparts)
      if (g_.is(n, real)) {
        std::vector<value_id> inputs;
        append(inputs, *x);
        inputs.insert(inputs.end(), {y.scale, y.zero});
        put(n, q, gone, integer, microsoft, std::move(inputs));
        return;
      }
    // What only moves or picks elements does so with their integers, if both sides mean the same.
    const bool same = zero_of(g_, *x) == zero_of(g_, y) &&
                      x->scales.values<float>()[0] == y.scales.values<float>()[0];
    for (const auto op : movers)
      if (same && g_.is(n, op)) {
        auto inputs = g_.node(n).inputs;
        inputs[0] = x->values;
        put(n, q, gone, op, "", std::move(inputs));
        return;
      }
  }

  graph_editor& g_;
};

} // namespace

void fuse_quantized(graph_editor& g) {
  quantized_fusion(g).run();
}

} // namespace shoal::rewrite_rules
