#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"

#include <limits>

namespace shoal::rewrite_rules {
namespace {

/// What FusedConv calls an activation.
struct fused_activation {
  std::string name;
  std::vector<float> parameters;
};

/// A constant bound of Clip, `fallback` where it is left out; nothing if it is not known.
std::optional<float> read_bound(const graph_editor& g, value_id id, float fallback) {
  if (id == no_value) return fallback;
  const auto* content = g.constant(id);
  if (content == nullptr || content->element_count() != 1) return std::nullopt;
  switch (content->element_type()) {
  case dtype::f32:
    return content->values<float>()[0];
  case dtype::f16:
    return static_cast<float>(content->values<half>()[0]);
  case dtype::bf16:
    return static_cast<float>(content->values<bfloat16>()[0]);
  default: // FusedConv states its parameters in float32
    return std::nullopt;
  }
}

std::optional<fused_activation> read_clip(const graph_editor& g, std::size_t n) {
  constexpr float lowest = std::numeric_limits<float>::lowest();
  constexpr float highest = std::numeric_limits<float>::max();
  const auto& attrs = g.node(n).attrs;
  if (g.node(n).opset < 11)
    return fused_activation{"Clip",
                            {attrs.get_float("min", lowest), attrs.get_float("max", highest)}};
  const auto low = read_bound(g, g.input(n, 1), lowest);
  const auto high = read_bound(g, g.input(n, 2), highest);
  if (!low || !high) return std::nullopt;
  return fused_activation{"Clip", {*low, *high}};
}

std::optional<fused_activation> read_activation(const graph_editor& g, std::size_t n) {
  const auto& attrs = g.node(n).attrs;
  for (const auto* plain : {"Relu", "Sigmoid", "Tanh"})
    if (g.is(n, plain)) return fused_activation{plain, {}};
  if (g.is(n, "LeakyRelu")) return fused_activation{"LeakyRelu", {attrs.get_float("alpha", 0.01f)}};
  if (g.is(n, "HardSigmoid"))
    return fused_activation{"HardSigmoid",
                            {attrs.get_float("alpha", 0.2f), attrs.get_float("beta", 0.5f)}};
  if (g.is(n, "Clip")) return read_clip(g, n);
  return std::nullopt;
}

} // namespace

std::optional<graph_node> as_open_fused_conv(const graph_editor& g, std::size_t n) {
  constexpr std::string_view domain = "com.microsoft";
  const auto& def = *g.node(n).definition;
  const bool is_fused = def.name == "FusedConv" && def.domain == domain;
  if (!g.is(n, "Conv") && !is_fused) return std::nullopt;
  if (!g.node(n).attrs.get_string("activation", "").empty()) return std::nullopt;
  auto fused = g.node(n);
  const auto found = find_operator("FusedConv", domain, 1, fused.name);
  if (!found) return std::nullopt;
  fused.definition = *found;
  fused.opset = 1;
  return fused;
}

result<void> fuse_activation(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.alive(n)) continue;
    auto activation = read_activation(g, n);
    if (!activation) continue;
    const auto conv = g.private_producer(g.input(n, 0), n);
    auto fused = conv ? as_open_fused_conv(g, *conv) : std::nullopt;
    if (!fused) continue;
    fused->attrs.set("activation", std::move(activation->name));
    if (!activation->parameters.empty())
      fused->attrs.set("activation_params", std::move(activation->parameters));
    fused->outputs = g.node(n).outputs;
    g.remove(*conv);
    g.replace(n, *std::move(fused));
  }
  return {};
}

} // namespace shoal::rewrite_rules
