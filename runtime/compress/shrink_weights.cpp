#include "runtime/compress/shrink_weights.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/graph/rewrite_editor.hpp"
#include "runtime/operators/operator.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

constexpr std::int64_t worth_shrinking = 64; ///< elements

template <class T>
result<tensor> narrowed(const tensor& wide, const std::string& name) {
  SHOAL_TRY(auto narrow, tensor::allocate({dtype_of<T>(), wide.dims()}));
  const auto from = wide.values<float>();
  const auto to = narrow.template mutable_values<T>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i] = T(from[i]);
    if (std::isfinite(from[i]) && !std::isfinite(static_cast<float>(to[i])))
      return fail(errc::invalid_argument, "{} of constant '{}' is beyond {}", from[i], name,
                  to_string(dtype_of<T>()));
  }
  return narrow;
}

int opset_of(const graph& model) {
  for (const auto& node : model.nodes())
    if (node.definition->domain.empty()) return node.opset;
  return 17;
}

tensor pruned(const tensor& weights, double fraction) {
  auto out = weights.clone();
  std::vector<float> magnitudes;
  for (const float w : weights.values<float>()) magnitudes.push_back(std::abs(w));
  const auto count = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(magnitudes.size()));
  if (count < 1) return out;
  std::nth_element(magnitudes.begin(), magnitudes.begin() + (count - 1), magnitudes.end());
  const float least = magnitudes[static_cast<std::size_t>(count - 1)];
  for (auto& w : out.mutable_values<float>())
    if (std::abs(w) <= least) w = 0;
  return out;
}

} // namespace

result<graph> with_half_weights(const graph& model, dtype type) {
  const int opset = opset_of(model);
  if (type == dtype::bf16 && opset < 13)
    return fail(errc::unsupported, "bfloat16 needs opset 13 or later, the model is of {}", opset);
  graph_editor g(model, {});
  const auto count = static_cast<value_id>(g.value_count());
  for (value_id id = 0; id < count; ++id) {
    const auto* found = g.constant(id);
    const bool shrinks = found != nullptr && found->element_type() == dtype::f32 &&
                         found->element_count() >= worth_shrinking && !g.is_output(id) &&
                         g.reads(id) > 0;
    if (!shrinks) continue;
    const tensor wide = *found;
    const auto name = g.value(id).name;
    SHOAL_TRY(auto narrow,
              type == dtype::f16 ? narrowed<half>(wide, name) : narrowed<bfloat16>(wide, name));
    const auto stored =
        g.add_constant(fmt::format("{}/{}", name, to_string(type)), std::move(narrow));
    const auto real = g.add_value(name + "/float32", dtype::f32);
    g.redirect_reads(id, real);
    graph_node cast;
    cast.name = g.unique_name(name + "/cast");
    cast.opset = opset;
    SHOAL_TRY(cast.definition, find_operator("Cast", "", opset, cast.name));
    cast.inputs = {stored};
    cast.outputs = {real};
    cast.attrs.set("to", std::int64_t{dtype_to_onnx(dtype::f32)});
    g.append(std::move(cast));
  }
  return std::move(g).finish();
}

result<graph> with_pruned_weights(const graph& model, double fraction) {
  if (!(fraction >= 0 && fraction < 1))
    return fail(errc::invalid_argument, "cannot prune a share of {}", fraction);
  graph_editor g(model, {});
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "Conv") && !g.is(n, "Gemm") && !g.is(n, "MatMul")) continue;
    const auto id = g.input(n, 1);
    const auto* weights = g.constant(id);
    if (weights == nullptr || weights->element_type() != dtype::f32) continue;
    g.make_constant(id, pruned(*weights, fraction));
  }
  return std::move(g).finish();
}

double zero_share(const graph& model) {
  double zeros = 0, all = 0;
  for (const auto& value : model.values()) {
    const auto type = value.is_constant() ? value.constant.element_type() : dtype::i64;
    if (!is_floating(type) && size_of(type) != 1) continue;
    visit_dtype(type, [&]<class T>(std::type_identity<T>) {
      for (const auto x : value.constant.values<T>()) {
        zeros += static_cast<double>(x) == 0;
        all += 1;
      }
    });
  }
  return all == 0 ? 0 : zeros / all;
}

} // namespace shoal
