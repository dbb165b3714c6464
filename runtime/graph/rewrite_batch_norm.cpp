#include "runtime/graph/rewrite_rules.hpp"

#include <cmath>

namespace shoal::rewrite_rules {
namespace {

/// y = factor * x + shift per channel: what BatchNormalization is once its statistics are fixed.
struct channel_affine {
  std::vector<double> factor;
  std::vector<double> shift;
};

const tensor* float_constant(const graph_editor& g, value_id id) {
  const auto* content = g.constant(id);
  return content != nullptr && content->element_type() == dtype::f32 ? content : nullptr;
}

bool is_training(const graph_editor& g, const graph_node& node) {
  if (node.attrs.get_int("training_mode", 0) != 0) return true;
  if (node.opset < 9 && node.attrs.get_int("spatial", 1) != 1) return true; // not per channel
  for (std::size_t o = 1; o < node.outputs.size(); ++o)
    if (g.is_needed(node.outputs[o])) return true;
  return false;
}

std::optional<channel_affine> read_affine(const graph_editor& g, std::size_t n) {
  const auto& node = g.node(n);
  if (is_training(g, node)) return std::nullopt;
  const tensor* parameters[4]; // scale, bias, mean, variance
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i] = float_constant(g, g.input(n, i + 1));
    if (parameters[i] == nullptr || parameters[i]->dims().rank() != 1 ||
        parameters[i]->dims() != parameters[0]->dims())
      return std::nullopt;
  }
  const auto at = [&](int which, std::size_t c) {
    return static_cast<double>(parameters[which]->values<float>()[c]);
  };
  const double epsilon = node.attrs.get_float("epsilon", 1e-5f);
  channel_affine affine;
  for (std::size_t c = 0; c < static_cast<std::size_t>(parameters[0]->element_count()); ++c) {
    const double deviation = std::sqrt(at(3, c) + epsilon);
    if (!(deviation > 0)) return std::nullopt;
    affine.factor.push_back(at(0, c) / deviation);
    affine.shift.push_back(at(1, c) - at(2, c) * affine.factor.back());
  }
  return affine;
}

/// Where the output channels are in a constant weight: the channel of element i is
/// i / group_block * per_group + i / inner % per_group.
struct channel_places {
  std::int64_t inner = 1;
  std::int64_t per_group = 1;
  std::int64_t group_block = 1;
};

std::optional<channel_places> find_channels(const graph_editor& g, std::size_t n, const tensor& w,
                                            std::int64_t channels) {
  const auto& dims = w.dims();
  const auto& attrs = g.node(n).attrs;
  const auto all = w.element_count();
  if (dims.rank() < 2 || all == 0) return std::nullopt;
  if (g.is(n, "Conv")) {
    if (dims[0] != channels) return std::nullopt;
    return channel_places{all / channels, channels, all};
  }
  if (g.is(n, "ConvTranspose")) { // [input channels, output channels / group, kernel...]
    const auto groups = attrs.get_int("group", 1);
    if (groups < 1 || dims[0] % groups != 0 || channels % groups != 0 ||
        dims[1] != channels / groups)
      return std::nullopt;
    return channel_places{dims.element_count(2, dims.rank()), dims[1], all / groups};
  }
  if (!g.is(n, "Gemm") || dims.rank() != 2) return std::nullopt;
  const bool transposed = attrs.get_int("transB", 0) != 0;
  if (dims[transposed ? 0 : 1] != channels) return std::nullopt;
  return channel_places{transposed ? dims[1] : 1, channels, all};
}

/// The bias of node `n` as one number per channel; nothing if it is not constant or of another
/// form.
std::optional<std::vector<double>> read_bias(const graph_editor& g, std::size_t n,
                                             std::size_t channels) {
  const auto id = g.input(n, 2);
  if (id == no_value) return std::vector<double>(channels, 0);
  const auto* content = float_constant(g, id);
  if (content == nullptr || content->element_count() == 0) return std::nullopt;
  const bool is_gemm = g.is(n, "Gemm"); // its bias is scaled, and may be one number for all
  if (is_gemm && g.node(n).attrs.get_float("beta", 1) != 1) return std::nullopt;
  const auto& dims = content->dims();
  const auto count = static_cast<std::size_t>(content->element_count());
  const bool in_last_axis = dims.rank() == 0 || dims[dims.rank() - 1] == dims.element_count();
  if (!in_last_axis || (count != channels && !(is_gemm && count == 1))) return std::nullopt;
  std::vector<double> bias;
  for (std::size_t c = 0; c < channels; ++c)
    bias.push_back(static_cast<double>(content->values<float>()[count == 1 ? 0 : c]));
  return bias;
}

result<tensor> scale_weight(const tensor& w, const channel_places& at,
                            std::span<const double> factor) {
  SHOAL_TRY(auto copy, w.bytes_owner()->read_copy(w.byte_offset(), w.byte_size()));
  tensor scaled(w.type(), std::move(copy));
  const auto out = scaled.mutable_values<float>();
  // Runs of `inner` elements have one channel.
  std::size_t e = 0;
  for (std::int64_t run = 0; run < w.element_count() / at.inner; ++run) {
    const auto channel = run * at.inner / at.group_block * at.per_group + run % at.per_group;
    const double by = factor[static_cast<std::size_t>(channel)];
    for (std::int64_t i = 0; i < at.inner; ++i, ++e)
      out[e] = static_cast<float>(static_cast<double>(out[e]) * by);
  }
  return scaled;
}

result<void> fold_into(graph_editor& g, std::size_t layer, std::size_t norm,
                       const channel_affine& affine) {
  const auto channels = affine.factor.size();
  const auto* w = float_constant(g, g.input(layer, 1));
  if (w == nullptr) return {};
  const auto places = find_channels(g, layer, *w, static_cast<std::int64_t>(channels));
  const auto bias = read_bias(g, layer, channels);
  if (!places || !bias) return {};
  SHOAL_TRY(auto scaled, scale_weight(*w, *places, affine.factor));
  std::vector<float> shifted(channels);
  for (std::size_t c = 0; c < channels; ++c)
    shifted[c] = static_cast<float>((*bias)[c] * affine.factor[c] + affine.shift[c]);

  auto fused = g.node(layer);
  const shape bias_dims{static_cast<std::int64_t>(channels)};
  const auto& weight_name = g.value(fused.inputs[1]).name;
  const auto new_weight = g.add_constant(weight_name + "/normalized", std::move(scaled));
  const auto new_bias =
      g.add_constant(fused.name + "/bias", tensor::of(bias_dims, std::span<const float>(shifted)));
  fused.inputs.resize(3, no_value);
  fused.inputs[1] = new_weight;
  fused.inputs[2] = new_bias;
  fused.attrs.erase("beta"); // without a bias its value did not matter; from now on it is 1
  fused.outputs = {g.node(norm).outputs[0]};
  g.remove(layer);
  g.replace(norm, std::move(fused));
  return {};
}

} // namespace

result<void> fold_batch_norm(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "BatchNormalization")) continue;
    const auto layer = g.private_producer(g.input(n, 0), n);
    if (!layer) continue;
    if (const auto affine = read_affine(g, n)) SHOAL_CHECK(fold_into(g, *layer, n, *affine));
  }
  return {};
}

} // namespace shoal::rewrite_rules
