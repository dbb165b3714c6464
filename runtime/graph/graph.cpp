#include "runtime/graph/graph.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_set>

namespace shoal {
namespace {

/// Which node writes each value; an error when two do, or when a constant or input is written.
result<std::vector<std::int64_t>> find_producers(const graph_builder& b) {
  std::vector<std::int64_t> producer(b.values.size(), -1);
  std::vector<bool> given(b.values.size(), false);
  for (std::size_t v = 0; v < b.values.size(); ++v) given[v] = b.values[v].is_constant();
  for (const auto id : b.inputs) given[id] = true;
  for (std::size_t n = 0; n < b.nodes.size(); ++n) {
    for (const auto id : b.nodes[n].outputs) {
      if (id == no_value) continue;
      if (id >= b.values.size())
        return fail(errc::internal, "node '{}' writes value {} of {}", b.nodes[n].name, id,
                    b.values.size());
      if (given[id] || producer[id] >= 0)
        return fail(errc::malformed, "value '{}' has two sources; one is node '{}'",
                    b.values[id].name, b.nodes[n].name);
      producer[id] = static_cast<std::int64_t>(n);
    }
  }
  const auto has_source = [&](value_id id) { return given[id] || producer[id] >= 0; };
  for (const auto& node : b.nodes)
    for (const auto id : node.inputs)
      if (id != no_value && (id >= b.values.size() || !has_source(id)))
        return fail(errc::malformed, "node '{}' reads value '{}', which nothing produces",
                    node.name, id < b.values.size() ? b.values[id].name : std::to_string(id));
  for (const auto id : b.outputs)
    if (id >= b.values.size() || !has_source(id))
      return fail(errc::malformed, "graph output '{}' is not produced by any node",
                  id < b.values.size() ? b.values[id].name : std::to_string(id));
  return producer;
}

/// Kahn's algorithm; among the nodes that are ready the one that came first goes first.
result<std::vector<std::size_t>> topological_order(const graph_builder& b,
                                                   const std::vector<std::int64_t>& producer) {
  std::vector<std::vector<std::size_t>> readers(b.nodes.size());
  std::vector<std::size_t> waiting(b.nodes.size(), 0);
  for (std::size_t n = 0; n < b.nodes.size(); ++n)
    for (const auto id : b.nodes[n].inputs)
      if (id != no_value && producer[id] >= 0) {
        readers[static_cast<std::size_t>(producer[id])].push_back(n);
        ++waiting[n];
      }
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < b.nodes.size(); ++n)
    if (waiting[n] == 0) ready.push(n);
  std::vector<std::size_t> order;
  order.reserve(b.nodes.size());
  while (!ready.empty()) {
    const auto n = ready.top();
    ready.pop();
    order.push_back(n);
    for (const auto reader : readers[n])
      if (--waiting[reader] == 0) ready.push(reader);
  }
  if (order.size() == b.nodes.size()) return order;
  for (std::size_t n = 0; n < b.nodes.size(); ++n)
    if (waiting[n] > 0)
      return fail(errc::malformed, "the graph has a cycle through node '{}'", b.nodes[n].name);
  return fail(errc::internal, "topological sort lost a node");
}

template <class F>
void for_each_reference(graph_builder& b, F&& f) {
  for (auto& id : b.inputs) f(id);
  for (auto& node : b.nodes) {
    for (auto& id : node.inputs)
      if (id != no_value) f(id);
    for (auto& id : node.outputs)
      if (id != no_value) f(id);
  }
  for (auto& id : b.outputs) f(id);
}

void drop_unused_values(graph_builder& b) {
  std::vector<bool> used(b.values.size(), false);
  for_each_reference(b, [&](value_id& id) { used[id] = true; });
  std::vector<value_id> moved(b.values.size(), no_value);
  value_id next = 0;
  for (std::size_t v = 0; v < b.values.size(); ++v) {
    if (!used[v]) continue;
    moved[v] = next;
    if (next != v) b.values[next] = std::move(b.values[v]);
    ++next;
  }
  b.values.resize(next);
  for_each_reference(b, [&](value_id& id) { id = moved[id]; });
}

result<void> check_interface_names(const graph_builder& b, const std::vector<value_id>& ids,
                                   std::string_view side) {
  std::unordered_set<std::string_view> seen;
  for (const auto id : ids)
    if (!seen.insert(b.values[id].name).second)
      return fail(errc::malformed, "two graph {}s have the name '{}'", side, b.values[id].name);
  return {};
}

} // namespace

bool graph_node::has_bodies() const {
  const auto& entries = attrs.entries();
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return std::holds_alternative<graph_body>(entry.second);
  });
}

bool has_bodies(const graph& model) {
  const auto nodes = model.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.has_bodies(); });
}

result<std::size_t> graph::input_index(std::string_view wanted) const {
  std::string names;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (values_[inputs_[i]].name == wanted) return i;
    names += (i == 0 ? "'" : ", '") + values_[inputs_[i]].name + "'";
  }
  return fail(errc::invalid_argument, "the model has no input '{}'; its inputs are {}", wanted,
              names);
}

graph_builder::graph_builder(const graph& original)
    : name(original.name_), values(original.values_), nodes(original.nodes_),
      inputs(original.inputs_), outputs(original.outputs_) {}

value_id graph_builder::add_value(graph_value value) {
  values.push_back(std::move(value));
  return static_cast<value_id>(values.size() - 1);
}

value_id graph_builder::add_constant(std::string constant_name, tensor value) {
  graph_value v;
  v.name = std::move(constant_name);
  v.type = value.element_type();
  v.constant = std::move(value);
  return add_value(std::move(v));
}

result<graph> graph_builder::build() && {
  for (const auto id : inputs)
    if (id >= values.size()) return fail(errc::internal, "graph input {} does not exist", id);
  SHOAL_TRY(const auto producer, find_producers(*this));
  SHOAL_TRY(const auto order, topological_order(*this, producer));
  std::vector<graph_node> sorted;
  sorted.reserve(nodes.size());
  for (const auto n : order) sorted.push_back(std::move(nodes[n]));
  nodes = std::move(sorted);
  drop_unused_values(*this);
  SHOAL_CHECK(check_interface_names(*this, inputs, "input"));
  SHOAL_CHECK(check_interface_names(*this, outputs, "output"));
  graph g;
  g.name_ = std::move(name);
  g.values_ = std::move(values);
  g.nodes_ = std::move(nodes);
  g.inputs_ = std::move(inputs);
  g.outputs_ = std::move(outputs);
  return g;
}

result<void> check_inputs(const graph& model, std::span<const tensor_type> inputs) {
  if (inputs.size() != model.inputs().size())
    return fail(errc::invalid_argument, "the model takes {} inputs, got {}", model.inputs().size(),
                inputs.size());
  std::map<std::string_view, std::int64_t> bound;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& value = model.value(model.inputs()[i]);
    const auto mismatch = [&](std::string_view what) {
      return fail(errc::invalid_argument, "input '{}': expected {}, got {}: {}", value.name,
                  describe(value), to_string(inputs[i]), what);
    };
    if (value.type && *value.type != inputs[i].type) return mismatch("the element type differs");
    if (!value.dims) continue;
    if (static_cast<int>(value.dims->size()) != inputs[i].dims.rank())
      return mismatch(
          fmt::format("{} dimensions instead of {}", inputs[i].dims.rank(), value.dims->size()));
    for (int axis = 0; axis < inputs[i].dims.rank(); ++axis) {
      const auto& declared = (*value.dims)[static_cast<std::size_t>(axis)];
      const auto extent = inputs[i].dims[axis];
      if (declared.extent >= 0 && declared.extent != extent)
        return mismatch(fmt::format("dimension {} differs", axis));
      if (declared.extent >= 0 || declared.symbol.empty()) continue;
      const auto [at, fresh] = bound.try_emplace(declared.symbol, extent);
      if (!fresh && at->second != extent)
        return mismatch(fmt::format("'{}' is {} elsewhere", declared.symbol, at->second));
    }
  }
  return {};
}

std::string describe(const graph_value& value) {
  std::string text(value.type ? to_string(*value.type) : "unknown");
  if (!value.dims) return text;
  text += '[';
  for (std::size_t i = 0; i < value.dims->size(); ++i) {
    const auto& d = (*value.dims)[i];
    if (i > 0) text += ',';
    text += d.extent >= 0 ? std::to_string(d.extent) : d.symbol.empty() ? "?" : d.symbol;
  }
  return text + "]";
}

} // namespace shoal
