#include "runtime/compress/quantize_model.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/graph/rewrite.hpp"
#include "runtime/graph/rewrite_editor.hpp"
#include "runtime/operators/operator.hpp"
#include "runtime/session/binding.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace shoal {
namespace {

/// One node with weights, and where its output channels lie in them.
struct weighted_node {
  std::size_t node = 0;
  int channel_axis = 0;
};

/// Scale and zero point of uint8 numbers that cover a range.
struct byte_scale {
  float scale = 1;
  std::uint8_t zero = 0;

  explicit byte_scale(const value_range& range) {
    if (range.high > range.low) scale = (range.high - range.low) / 255;
    if (!std::isnormal(scale)) scale = 1;
    zero = static_cast<std::uint8_t>(std::clamp(std::nearbyint(-range.low / scale), 0.0f, 255.0f));
  }
};

class quantizer {
 public:
  quantizer(const graph& model, int opset) : g_(model, {}), opset_(opset) {}

  /// Which values have to be watched; also which nodes will be quantised.
  std::vector<value_id> choose_values() {
    for (std::size_t n = 0; n < g_.node_count(); ++n)
      if (const auto weighted = weights_of(n)) {
        weighted_.push_back(*weighted);
        add(g_.input(n, 0));
        if (!g_.is(n, "MatMul")) add(result_of(n));
      }
    // Between what is quantised; in order, so that chains of them are found.
    for (std::size_t n = 0; n < g_.node_count(); ++n) choose_between(n);
    return values_;
  }

  std::size_t weighted_count() const { return weighted_.size(); }

  result<graph> quantize(std::span<const value_range> ranges) && {
    for (std::size_t v = 0; v < values_.size(); ++v) scales_.emplace(values_[v], ranges[v]);
    // A pool picks elements: they keep their scale.
    for (const auto& [pool, from] : same_scale_) scales_.at(pool) = scales_.at(from);
    for (const auto& w : weighted_) SHOAL_CHECK(quantize_weights(w));
    for (const auto id : values_) SHOAL_CHECK(quantize_value(id));
    return std::move(g_).finish();
  }

 private:
  void add(value_id id) {
    if (id == no_value || g_.constant(id) != nullptr || chosen(id)) return;
    values_.push_back(id);
  }
  bool chosen(value_id id) const {
    return std::find(values_.begin(), values_.end(), id) != values_.end();
  }

  bool is_float_constant(value_id id, int rank) const {
    const auto* c = g_.constant(id);
    return c != nullptr && c->element_type() == dtype::f32 && c->element_count() > 0 &&
           (rank == 0 || c->dims().rank() == rank);
  }

  std::optional<weighted_node> weights_of(std::size_t n) const {
    if (g_.is(n, "Conv") && is_float_constant(g_.input(n, 1), 0)) return weighted_node{n, 0};
    if (g_.is(n, "MatMul") && is_float_constant(g_.input(n, 1), 2) &&
        g_.constant(g_.input(n, 0)) == nullptr)
      return weighted_node{n, 1};
    const auto& attrs = g_.node(n).attrs;
    if (g_.is(n, "Gemm") && is_float_constant(g_.input(n, 1), 2) &&
        attrs.get_float("alpha", 1) == 1 && attrs.get_float("beta", 1) == 1 &&
        attrs.get_int("transA", 0) == 0)
      return weighted_node{n, attrs.get_int("transB", 0) != 0 ? 0 : 1};
    return std::nullopt;
  }

  /// The nodes that read `id`, if there is just one, that is.
  std::optional<std::size_t> only_reader(value_id id) const {
    if (g_.reads(id) != 1 || g_.is_output(id)) return std::nullopt;
    for (std::size_t n = 0; n < g_.node_count(); ++n)
      if (g_.alive(n) && std::ranges::find(g_.node(n).inputs, id) != g_.node(n).inputs.end())
        return n;
    return std::nullopt;
  }

  /// The output of `n`, or that of the Relu or Clip behind it. Results of the model stay real.
  value_id result_of(std::size_t n) const {
    auto id = g_.node(n).outputs[0];
    const auto next = only_reader(id);
    if (next && (g_.is(*next, "Relu") || g_.is(*next, "Clip"))) id = g_.node(*next).outputs[0];
    return g_.is_output(id) ? no_value : id;
  }

  void choose_between(std::size_t n) {
    if (!g_.alive(n)) return;
    const auto& node = g_.node(n);
    const bool pools = g_.is(n, "MaxPool") && node.outputs.size() == 1;
    const bool averages = g_.is(n, "GlobalAveragePool") || g_.is(n, "AveragePool");
    const bool sums = g_.is(n, "Add") && node.inputs.size() == 2;
    if (!pools && !averages && !sums && !g_.is(n, "Concat")) return;
    if (opset_ < 12 && pools) return; // of bytes since then
    const bool all = std::ranges::all_of(node.inputs, [&](value_id id) { return chosen(id); });
    const auto out = result_of(n);
    // A sum of which one side comes from a convolution takes the other side with it.
    const bool one = sums && std::ranges::any_of(node.inputs, [&](value_id id) {
                       const auto maker = g_.producer(id);
                       return maker && chosen(id) && g_.is(*maker, "Conv");
                     });
    const bool constants =
        std::ranges::any_of(node.inputs, [&](value_id id) { return g_.constant(id) != nullptr; });
    if (!(all || one) || constants || out == no_value) return;
    for (const auto id : std::vector<value_id>(node.inputs)) add(id);
    add(out);
    if (pools && out == node.outputs[0]) same_scale_.emplace_back(out, node.inputs[0]);
  }

  result<void> append(std::string_view op, std::vector<value_id> inputs, value_id output,
                      std::optional<std::int64_t> axis) {
    graph_node node;
    node.name = g_.unique_name(fmt::format("{}/{}", g_.value(inputs[0]).name, op));
    node.opset = opset_;
    SHOAL_TRY(node.definition, find_operator(op, "", opset_, node.name));
    node.inputs = std::move(inputs);
    node.outputs = {output};
    if (axis) node.attrs.set("axis", *axis);
    g_.append(std::move(node));
    return {};
  }

  result<void> quantize_value(value_id id) {
    const auto& by = scales_.at(id);
    const auto name = g_.value(id).name;
    const auto scale = g_.add_constant(name + "/scale", tensor::of<float>({}, {by.scale}));
    const auto zero =
        g_.add_constant(name + "/zero_point", tensor::of<std::uint8_t>({}, {by.zero}));
    const auto bytes = g_.add_value(name + "/quantized", dtype::u8);
    const auto real = g_.add_value(name + "/dequantized", dtype::f32);
    g_.redirect_reads(id, real);
    SHOAL_CHECK(append("QuantizeLinear", {id, scale, zero}, bytes, std::nullopt));
    return append("DequantizeLinear", {bytes, scale, zero}, real, std::nullopt);
  }

  /// The largest magnitude of each channel, or of all.
  std::vector<float> channel_scales(const tensor& w, int axis) const {
    const auto channels = w.dims()[axis];
    const auto inner = w.dims().element_count(axis + 1, w.dims().rank());
    std::vector<float> scales(opset_ >= 13 ? static_cast<std::size_t>(channels) : 1, 0.0f);
    for (std::size_t i = 0; i < w.values<float>().size(); ++i) {
      const auto channel = static_cast<std::int64_t>(i) / inner % channels;
      auto& most = scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
      most = std::max(most, std::abs(w.values<float>()[i]));
    }
    for (auto& scale : scales) scale = std::isnormal(scale / 127) ? scale / 127 : 1;
    return scales;
  }

  result<void> quantize_weights(const weighted_node& at) {
    const auto id = g_.input(at.node, 1);
    const tensor w = *g_.constant(id);
    const auto scales = channel_scales(w, at.channel_axis);
    const auto channels = w.dims()[at.channel_axis];
    const auto inner = w.dims().element_count(at.channel_axis + 1, w.dims().rank());
    SHOAL_TRY(auto bytes, tensor::allocate({dtype::i8, w.dims()}));
    for (std::size_t i = 0; i < w.values<float>().size(); ++i) {
      const auto channel =
          static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % channels);
      const float steps =
          std::nearbyint(w.values<float>()[i] / scales[scales.size() == 1 ? 0 : channel]);
      bytes.mutable_values<std::int8_t>()[i] =
          static_cast<std::int8_t>(std::clamp(steps, -127.0f, 127.0f));
    }
    SHOAL_TRY(const auto real, add_dequantized<std::int8_t>(g_.value(id).name, std::move(bytes),
                                                            scales, at.channel_axis));
    auto node = g_.node(at.node);
    node.inputs[1] = real;
    SHOAL_TRY(const auto bias, quantized_bias(at, scales, channels));
    if (bias != no_value) node.inputs[2] = bias;
    g_.replace(at.node, std::move(node));
    return {};
  }

  /// The constant behind a DequantizeLinear, which gives the value returned.
  template <class T>
  result<value_id> add_dequantized(std::string name, tensor integers,
                                   const std::vector<float>& scales, std::int64_t axis) {
    const auto count = static_cast<std::int64_t>(scales.size());
    const bool single = count == 1 && opset_ < 13;
    const shape dims = single ? shape{} : shape{count};
    const auto stored = g_.add_constant(name + "/quantized", std::move(integers));
    const auto scale = g_.add_constant(name + "/scale", tensor::of<float>(dims, scales));
    const auto zero = g_.add_constant(name + "/zero_point",
                                      tensor::of<T>(dims, std::vector<T>(scales.size(), T{})));
    const auto real = g_.add_value(name + "/dequantized", dtype::f32);
    SHOAL_CHECK(append("DequantizeLinear", {stored, scale, zero}, real,
                       single ? std::nullopt : std::optional(axis)));
    return real;
  }

  /// In units of the sums of products; `no_value` when there is none or it has to stay real.
  result<value_id> quantized_bias(const weighted_node& at, const std::vector<float>& scales,
                                  std::int64_t channels) {
    const auto id = g_.input(at.node, 2);
    const auto* bias = id == no_value ? nullptr : g_.constant(id);
    if (bias == nullptr || bias->element_type() != dtype::f32 || bias->dims() != shape{channels})
      return no_value;
    const tensor real = *bias;
    std::vector<float> units = scales;
    for (auto& unit : units) unit *= scales_.at(g_.input(at.node, 0)).scale;
    SHOAL_TRY(auto integers, tensor::allocate({dtype::i32, real.dims()}));
    for (std::size_t i = 0; i < real.values<float>().size(); ++i) {
      const float steps =
          std::nearbyint(real.values<float>()[i] / units[units.size() == 1 ? 0 : i]);
      if (!(std::abs(steps) < 1 << 30)) return no_value;
      integers.mutable_values<std::int32_t>()[i] = static_cast<std::int32_t>(steps);
    }
    return add_dequantized<std::int32_t>(g_.value(id).name, std::move(integers), units, 0);
  }

  graph_editor g_;
  int opset_;
  std::vector<weighted_node> weighted_;
  std::vector<value_id> values_;
  std::vector<std::pair<value_id, value_id>> same_scale_;
  std::map<value_id, byte_scale> scales_;
};

int opset_of(const graph& model) {
  for (const auto& node : model.nodes())
    if (node.definition->domain.empty()) return node.opset;
  return 0;
}

} // namespace

result<quantized_model> quantize_model(const graph& model, std::span<const model_sample> samples,
                                       const range_options& options) {
  const int opset = opset_of(model);
  if (opset < 10)
    return fail(
        errc::unsupported,
        "the model is of opset {}; QuantizeLinear came with opset 10: export the model with "
        "a later one, best 13, or convert it with onnx.version_converter",
        opset);
  rewrite_options folding;
  folding.evaluate = evaluate_node;
  folding.fuse_residual = folding.fuse_activation = folding.fuse_quantized = false;
  SHOAL_TRY(const auto folded, rewrite(model, folding));
  quantizer q(folded, opset);
  const auto values = q.choose_values();
  const auto nodes = q.weighted_count();
  if (nodes == 0)
    return fail(errc::unsupported,
                "there is no Conv, Gemm or MatMul with constant float32 weights to quantise");
  SHOAL_TRY(const auto ranges, observe_ranges(folded, values, samples, options));
  SHOAL_TRY(auto made, std::move(q).quantize(ranges));
  return quantized_model{std::move(made), nodes, values.size(), opset >= 13};
}

} // namespace shoal
