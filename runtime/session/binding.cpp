#include "runtime/session/binding.hpp"

#include "kernels/reference/reorder.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/tensor/deferred_storage.hpp"

#include <algorithm>
#include <cstring>

namespace shoal {
namespace {

/// What folding may make at most: shape arithmetic is tiny; a large constant is cheaper computed in
/// each run than kept once per bound shape.
constexpr std::int64_t largest_folded_bytes = std::int64_t{4} << 20;

bool worth_folding(const operator_def& op, std::span<const operand> inputs,
                   std::span<const tensor_type> outputs) {
  if (op.evaluate != nullptr) return true;
  std::int64_t bytes = 0;
  for (const auto& in : inputs)
    if (in.present && in.constant == nullptr) return false;
  for (const auto& out : outputs)
    bytes += out.dims.element_count() * static_cast<std::int64_t>(size_of(out.type));
  return bytes <= largest_folded_bytes;
}

result<void> run_plain(const graph_node& node, kernel& k, std::span<const operand> inputs,
                       std::span<const tensor_type> types, std::vector<tensor>& outputs) {
  std::vector<storage_ptr> temporaries;
  std::vector<const_view> in;
  std::vector<view> out;
  const auto stored = [&](const tensor_type& type, layout format) {
    const auto elements = static_cast<std::size_t>(stored_elements(type.dims, format));
    temporaries.push_back(allocate_storage(elements * size_of(type.type)));
    return view{temporaries.back()->data(), type.type, format, type.dims};
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].present) {
      in.push_back({});
    } else if (k.input_layout(i) == layout::plain) {
      in.push_back(*inputs[i].constant);
    } else {
      const view v = stored(inputs[i].type, k.input_layout(i));
      reference::reorder(*inputs[i].constant, v);
      in.push_back(v);
    }
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    SHOAL_TRY(auto made, tensor::allocate(types[i]));
    outputs.push_back(std::move(made));
    out.push_back(k.output_layout(i) == layout::plain ? outputs[i].mutable_view()
                                                      : stored(types[i], k.output_layout(i)));
  }
  const auto scratch = allocate_storage(k.scratch_bytes());
  try {
    k.run({in, out, scratch->data()});
  } catch (const kernel_error& e) {
    return node_error(node, errc::invalid_argument, e.what());
  } catch (const std::exception& e) {
    return node_error(node, errc::internal, e.what());
  }
  for (std::size_t i = 0; i < types.size(); ++i)
    if (out[i].format != layout::plain) reference::reorder(out[i], outputs[i].mutable_view());
  return {};
}

result<std::vector<tensor>> evaluate(const graph_node& node, std::span<const operand> inputs,
                                     std::span<const tensor_type> types, int threads) {
  const auto& op = *node.definition;
  if (op.evaluate != nullptr) return op.evaluate({node, inputs});
  if (op.is_view) return std::vector<tensor>{inputs[0].constant->reshaped(types[0].dims)};
  const std::vector<layout> layouts(inputs.size(), layout::plain);
  weight_cache weights;
  for (const auto& entry : op.kernels) {
    SHOAL_TRY(auto k, entry.prepare({{node, inputs}, types, layouts, threads, weights}));
    if (k == nullptr) continue;
    std::vector<tensor> outputs;
    SHOAL_CHECK(run_plain(node, *k, inputs, types, outputs));
    return outputs;
  }
  return node_error(node, errc::unsupported, "no kernel does these types");
}

result<std::vector<tensor_type>> infer(const graph_node& node, std::span<const operand> inputs) {
  SHOAL_TRY(auto types, node.definition->infer({node, inputs}));
  if (types.size() < node.outputs.size())
    return node_error(node, errc::malformed,
                      fmt::format("{} outputs are named, the operator has {}", node.outputs.size(),
                                  types.size()));
  for (const auto& type : types) {
    if (auto count = checked_element_count(type.dims.span()); !count)
      return node_error(node, errc::invalid_argument, count.error().message());
  }
  return types;
}

class binder {
 public:
  explicit binder(bound_graph& bound) : bound_(bound) {}

  void set_sources(std::span<const operand> inputs) {
    const auto& model = *bound_.model;
    bound_.values.resize(model.values().size());
    for (value_id v = 0; v < model.values().size(); ++v)
      if (model.value(v).is_constant())
        bound_.values[v] = {model.value(v).constant.type(), &model.value(v).constant, true};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      auto& source = bound_.values[model.inputs()[i]];
      source = {inputs[i].type, nullptr, true};
      if (inputs[i].constant != nullptr) // kept: the caller's tensor may go away
        source.constant = &bound_.constants.emplace_back(*inputs[i].constant);
    }
  }

  result<void> bind_all() {
    for (std::size_t n = 0; n < bound_.model->nodes().size(); ++n) SHOAL_CHECK(bind_node(n));
    return {};
  }

 private:
  result<void> bind_node(std::size_t index) {
    const auto& node = bound_.model->nodes()[index];
    const auto inputs = bound_.operands_of(index);
    if (waits_for_values(node)) {
      bound_.open[index] = true;
      return {};
    }
    auto inferred = infer(node, inputs);
    if (!inferred && inferred.error().code() == errc::needs_values) {
      bound_.open[index] = true;
      if (!bound_.why_open) bound_.why_open = std::move(inferred).error();
      return {};
    }
    SHOAL_TRY(const auto types, std::move(inferred));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != no_value)
        bound_.values[node.outputs[i]] = {types[i], nullptr, true};
      else
        bound_.with_gaps[index] = {types.begin(), types.begin() + node.outputs.size()};
    }
    if (!worth_folding(*node.definition, inputs, types)) return {};
    SHOAL_TRY(auto made, evaluate(node, inputs, types, 1));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == no_value) continue;
      const auto& constant = bound_.constants.emplace_back(std::move(made[i]));
      bound_.values[node.outputs[i]] = {constant.type(), &constant, true};
    }
    bound_.folded[index] = true;
    return {};
  }

  /// Behind a node whose outputs are not known, or one that only runs.
  bool waits_for_values(const graph_node& node) {
    if (node.definition->run_bodies != nullptr) {
      if (!bound_.why_open)
        bound_.why_open = node_error(node, errc::needs_values,
                                     "what it makes depends on values known only while running");
      return true;
    }
    return std::any_of(node.inputs.begin(), node.inputs.end(), [this](value_id id) {
      return id != no_value && !bound_.values[id].present;
    });
  }

  bound_graph& bound_;
};

} // namespace

std::vector<operand> bound_graph::operands_of(std::size_t index) const {
  std::vector<operand> operands;
  for (const auto id : model->nodes()[index].inputs)
    operands.push_back(id == no_value ? operand{} : values[id]);
  return operands;
}

std::vector<tensor_type> bound_graph::output_types_of(std::size_t index) const {
  if (const auto found = with_gaps.find(index); found != with_gaps.end()) return found->second;
  std::vector<tensor_type> types;
  for (const auto id : model->nodes()[index].outputs) types.push_back(values[id].type);
  return types;
}

std::map<std::string, tensor_type> types_by_name(const bound_graph& bound) {
  std::map<std::string, tensor_type> types;
  for (value_id id = 0; id < bound.values.size(); ++id)
    if (bound.value(id).present) types.emplace(bound.model->value(id).name, bound.value(id).type);
  return types;
}

result<std::unique_ptr<bound_graph>> bind_types(std::shared_ptr<const graph> model,
                                                std::span<const operand> inputs) {
  SHOAL_TRY(auto bound, bind_known_types(std::move(model), inputs));
  if (bound->why_open) return *std::move(bound->why_open);
  return bound;
}

result<std::unique_ptr<bound_graph>> bind_known_types(std::shared_ptr<const graph> model,
                                                      std::span<const operand> inputs) {
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type);
  SHOAL_CHECK(check_inputs(*model, types));
  auto bound = std::make_unique<bound_graph>();
  bound->model = std::move(model);
  bound->folded.assign(bound->model->nodes().size(), false);
  bound->open.assign(bound->model->nodes().size(), false);
  binder work(*bound);
  work.set_sources(inputs);
  SHOAL_CHECK(catch_deferred([&] { return work.bind_all(); }));
  return bound;
}

result<std::vector<tensor>> evaluate_node(const graph_node& node,
                                          std::span<const tensor* const> inputs) {
  return evaluate_node_on(1, node, inputs);
}

result<std::vector<tensor>> evaluate_node_on(int threads, const graph_node& node,
                                             std::span<const tensor* const> inputs) {
  std::vector<operand> operands;
  for (const auto* in : inputs)
    operands.push_back(in == nullptr ? operand{} : operand{in->type(), in, true});
  if (node.definition->evaluate != nullptr) return node.definition->evaluate({node, operands});
  SHOAL_TRY(const auto types, infer(node, operands));
  return evaluate(node, operands, types, threads);
}

} // namespace shoal
