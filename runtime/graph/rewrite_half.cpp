#include "runtime/base/fail.hpp"
#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <algorithm>
#include <array>

namespace shoal::rewrite_rules {
namespace {

/// Attributes that hold the number of an element type, in whichever operator.
constexpr std::array<std::string_view, 4> type_attributes = {"to", "dtype", "output_dtype",
                                                             "output_datatype"};

bool is_half(dtype type) {
  return type == dtype::f16 || type == dtype::bf16;
}

bool is_half(std::optional<dtype> type) {
  return type && is_half(*type);
}

template <class T>
void widen(std::span<const T> in, std::span<float> out) {
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = static_cast<float>(in[i]);
}

result<tensor> widened(const tensor& narrow) {
  SHOAL_TRY(auto wide, tensor::allocate({dtype::f32, narrow.dims()}));
  if (narrow.element_type() == dtype::f16)
    widen(narrow.values<half>(), wide.mutable_values<float>());
  else
    widen(narrow.values<bfloat16>(), wide.mutable_values<float>());
  return wide;
}

/// The attribute without half types, if it has any.
result<std::optional<attribute>> widened(std::string_view name, const attribute& value) {
  if (const auto* content = std::get_if<tensor>(&value)) {
    if (!is_half(content->element_type())) return std::optional<attribute>();
    SHOAL_TRY(auto wide, widened(*content));
    return std::optional<attribute>(std::move(wide));
  }
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr ||
      std::find(type_attributes.begin(), type_attributes.end(), name) == type_attributes.end())
    return std::optional<attribute>();
  const bool names_half =
      *number == dtype_to_onnx(dtype::f16) || *number == dtype_to_onnx(dtype::bf16);
  if (!names_half) return std::optional<attribute>();
  return std::optional<attribute>(std::int64_t{dtype_to_onnx(dtype::f32)});
}

class promoter {
 public:
  explicit promoter(graph_editor& g) : g_(g) {}

  result<void> run() {
    SHOAL_TRY(const bool has_half, find_half());
    if (!has_half) return {};
    for (const auto id : g_.outputs())
      if (!g_.element_type(id)) return unknown_type("output", id);
    SHOAL_CHECK(widen_attributes());
    SHOAL_CHECK(widen_constants());
    widen_inner_values();
    for (const auto id : g_.inputs()) SHOAL_CHECK(cast_input(id));
    for (const auto id : g_.outputs()) SHOAL_CHECK(cast_output(id));
    return {};
  }

 private:
  error unknown_type(std::string_view side, value_id id) const {
    return fail(errc::invalid_argument,
                "promoting half precision needs the element type of {} '{}', which the graph does "
                "not state",
                side, g_.value(id).name);
  }

  bool is_interface(value_id id) const { return g_.is_input(id) || g_.is_output(id); }

  /// Half values come from inputs, constants and operators that name a type.
  result<bool> find_half() {
    bool found = false;
    for (const auto id : g_.inputs()) {
      if (!g_.element_type(id)) return unknown_type("input", id);
      found = found || is_half(g_.element_type(id));
    }
    for (value_id id = 0; id < g_.value_count() && !found; ++id)
      if (const auto* content = g_.constant(id)) found = is_half(content->element_type());
    for (std::size_t n = 0; n < g_.node_count() && !found; ++n)
      for (const auto& [name, value] : g_.node(n).attrs.entries()) {
        SHOAL_TRY(const auto wide, widened(name, value));
        found = found || wide.has_value();
      }
    return found;
  }

  result<void> widen_attributes() {
    for (std::size_t n = 0; n < g_.node_count(); ++n) {
      auto node = g_.node(n);
      bool changed = false;
      for (const auto& [name, value] : g_.node(n).attrs.entries()) {
        SHOAL_TRY(auto wide, widened(name, value));
        if (!wide) continue;
        node.attrs.set(name, *std::move(wide));
        changed = true;
      }
      if (changed) g_.replace(n, std::move(node));
    }
    return {};
  }

  result<void> widen_constants() {
    const auto count = static_cast<value_id>(g_.value_count());
    for (value_id id = 0; id < count; ++id) {
      const auto* content = g_.constant(id);
      if (content == nullptr || !is_half(content->element_type())) continue;
      SHOAL_TRY(auto wide, widened(*content));
      if (!g_.is_output(id))
        g_.make_constant(id, std::move(wide));
      else if (g_.reads(id) > 0)
        g_.redirect_reads(id, g_.add_constant(wide_name(id), std::move(wide)));
    }
    return {};
  }

  void widen_inner_values() {
    for (value_id id = 0; id < g_.value_count(); ++id)
      if (!is_interface(id) && is_half(g_.element_type(id))) g_.set_element_type(id, dtype::f32);
  }

  std::string wide_name(value_id id) const { return g_.value(id).name + "/float32"; }

  result<void> add_cast(value_id from, value_id to, dtype target, std::string_view about) {
    graph_node cast;
    cast.name = g_.unique_name(fmt::format("{}/cast", about));
    cast.opset = onnx_opset();
    SHOAL_TRY(cast.definition, find_operator("Cast", "", cast.opset, cast.name));
    cast.inputs = {from};
    cast.outputs = {to};
    cast.attrs.set("to", std::int64_t{dtype_to_onnx(target)});
    g_.append(std::move(cast));
    return {};
  }

  int onnx_opset() const {
    for (std::size_t n = 0; n < g_.node_count(); ++n)
      if (g_.node(n).definition->domain.empty()) return g_.node(n).opset;
    return 17;
  }

  result<void> cast_input(value_id id) {
    if (!is_half(g_.element_type(id)) || g_.reads(id) == 0) return {};
    const auto wide = g_.add_value(wide_name(id), dtype::f32);
    g_.redirect_reads(id, wide);
    return add_cast(id, wide, dtype::f32, g_.value(id).name);
  }

  result<void> cast_output(value_id id) {
    const auto maker = g_.producer(id);
    const auto type = g_.element_type(id);
    if (!maker || !is_half(type)) return {};
    const auto wide = g_.add_value(wide_name(id), dtype::f32);
    auto writer = g_.node(*maker);
    std::replace(writer.outputs.begin(), writer.outputs.end(), id, wide);
    g_.replace(*maker, std::move(writer));
    g_.redirect_reads(id, wide);
    return add_cast(wide, id, *type, g_.value(id).name);
  }

  graph_editor& g_;
};

} // namespace

result<void> promote_half(graph_editor& g) {
  return promoter(g).run();
}

} // namespace shoal::rewrite_rules
