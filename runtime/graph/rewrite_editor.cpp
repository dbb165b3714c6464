#include "runtime/graph/rewrite_editor.hpp"

#include "runtime/operators/operator.hpp"

#include <algorithm>
#include <cassert>

namespace shoal {

graph_editor::graph_editor(const graph& model, std::span<const tensor_type> types)
    : b_(model), types_(types.begin(), types.end()), alive_(b_.nodes.size(), true) {
  grow();
  for (const auto id : b_.inputs) is_input_[id] = true;
  for (const auto id : b_.outputs) is_output_[id] = true;
  for (std::size_t n = 0; n < b_.nodes.size(); ++n) link(n);
  for (const auto& value : b_.values) names_.insert(value.name);
  for (const auto& node : b_.nodes) names_.insert(node.name);
}

void graph_editor::grow() {
  types_.resize(b_.values.size());
  is_input_.resize(b_.values.size());
  is_output_.resize(b_.values.size());
  producer_.resize(b_.values.size());
  readers_.resize(b_.values.size());
}

void graph_editor::link(std::size_t n) {
  for (const auto id : b_.nodes[n].inputs)
    if (id != no_value) readers_[id].push_back(n);
  for (const auto id : b_.nodes[n].outputs)
    if (id != no_value) producer_[id] = n;
}

void graph_editor::unlink(std::size_t n) {
  for (const auto id : b_.nodes[n].inputs)
    if (id != no_value) std::erase(readers_[id], n);
  for (const auto id : b_.nodes[n].outputs)
    if (id != no_value && producer_[id] == n) producer_[id].reset();
}

bool graph_editor::is(std::size_t n, std::string_view op) const {
  const auto& def = *b_.nodes[n].definition;
  return alive_[n] && def.domain.empty() && def.name == op;
}

const tensor* graph_editor::constant(value_id id) const {
  return id != no_value && b_.values[id].is_constant() ? &b_.values[id].constant : nullptr;
}

value_id graph_editor::input(std::size_t n, std::size_t i) const {
  const auto& inputs = b_.nodes[n].inputs;
  return i < inputs.size() ? inputs[i] : no_value;
}

std::optional<tensor_type> graph_editor::type(value_id id) const {
  if (const auto* content = constant(id)) return content->type();
  return types_[id];
}

std::optional<dtype> graph_editor::element_type(value_id id) const {
  if (b_.values[id].type) return b_.values[id].type;
  if (types_[id]) return types_[id]->type;
  return std::nullopt;
}

std::optional<std::size_t> graph_editor::producer(value_id id) const {
  return id == no_value ? std::nullopt : producer_[id];
}

bool graph_editor::is_needed(value_id id) const {
  return id != no_value && (is_output_[id] || !readers_[id].empty());
}

std::optional<std::size_t> graph_editor::private_producer(value_id id, std::size_t reader) const {
  if (id == no_value || is_output_[id] || readers_[id].size() != 1 || readers_[id][0] != reader)
    return std::nullopt;
  return producer_[id];
}

void graph_editor::remove(std::size_t n) {
  unlink(n);
  alive_[n] = false;
}

void graph_editor::replace(std::size_t n, graph_node node) {
  unlink(n);
  b_.nodes[n] = std::move(node);
  link(n);
}

std::size_t graph_editor::append(graph_node node) {
  names_.insert(node.name);
  b_.nodes.push_back(std::move(node));
  alive_.push_back(true);
  link(b_.nodes.size() - 1);
  return b_.nodes.size() - 1;
}

void graph_editor::redirect_reads(value_id from, value_id to) {
  for (const auto n : readers_[from])
    std::replace(b_.nodes[n].inputs.begin(), b_.nodes[n].inputs.end(), from, to);
  readers_[to].insert(readers_[to].end(), readers_[from].begin(), readers_[from].end());
  readers_[from].clear();
}

bool graph_editor::bypass(std::size_t n, std::size_t i) {
  const auto in = input(n, i), out = b_.nodes[n].outputs[0];
  if (out == no_value) return false;
  if (!is_output_[out]) {
    remove(n);
    redirect_reads(out, in);
    return true;
  }
  const auto source = producer_[in];
  if (!source || is_output_[in]) return false;
  remove(n);
  redirect_reads(in, out);
  auto writer = b_.nodes[*source];
  std::replace(writer.outputs.begin(), writer.outputs.end(), in, out);
  replace(*source, std::move(writer));
  return true;
}

value_id graph_editor::add_value(std::string name, std::optional<dtype> type) {
  graph_value value;
  value.name = unique_name(std::move(name));
  value.type = type;
  const auto id = b_.add_value(std::move(value));
  grow();
  return id;
}

value_id graph_editor::add_constant(std::string name, tensor content) {
  const auto id = b_.add_constant(unique_name(std::move(name)), std::move(content));
  grow();
  return id;
}

void graph_editor::make_constant(value_id id, tensor content) {
  assert(!producer_[id]);
  b_.values[id].type = content.element_type();
  b_.values[id].constant = std::move(content);
}

void graph_editor::set_element_type(value_id id, dtype type) {
  b_.values[id].type = type;
  if (types_[id]) types_[id]->type = type;
}

std::string graph_editor::unique_name(std::string base) {
  auto name = base;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

result<graph> graph_editor::finish() && {
  std::vector<graph_node> kept;
  for (std::size_t n = 0; n < b_.nodes.size(); ++n)
    if (alive_[n]) kept.push_back(std::move(b_.nodes[n]));
  b_.nodes = std::move(kept);
  return std::move(b_).build();
}

} // namespace shoal
