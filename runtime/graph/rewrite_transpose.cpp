#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string_view>

// Transposes that cancel each other or that a product can do without.

namespace shoal::rewrite_rules {
namespace {

/// Axis i of the result is axis `order[i]` of the operand.
using order = std::vector<std::int64_t>;

/// Empty if `n` is none, is no Transpose, or the order depends on a rank that is not known.
order order_of(const graph_editor& g, std::optional<std::size_t> n) {
  if (!n || !g.is(*n, "Transpose")) return {};
  const auto perm = g.node(*n).attrs.get_ints("perm");
  if (!perm.empty()) return {perm.begin(), perm.end()};
  const auto type = g.type(g.input(*n, 0));
  order reversed(type ? static_cast<std::size_t>(type->dims.rank()) : 0);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return reversed;
}

bool is_order(order axes) {
  std::sort(axes.begin(), axes.end());
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<std::int64_t>(i)) return false;
  return !axes.empty();
}

/// First `first`, then `then`; empty if the ranks differ.
order composed(const order& first, const order& then) {
  if (first.size() != then.size()) return {};
  order both;
  for (const auto axis : then) both.push_back(first[static_cast<std::size_t>(axis)]);
  return both;
}

bool keeps_order(const order& axes) {
  return std::is_sorted(axes.begin(), axes.end());
}

/// How many inputs of node `n` an element of the result depends on at its own place; the others
/// have one element. 0 if it is no such operator.
std::size_t elementwise_inputs(const graph_editor& g, std::size_t n) {
  for (const auto* one :
       {"Abs",  "Cast",        "Ceil",      "Clip",      "Elu",  "Erf",  "Exp", "Floor",
        "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log",  "Mish", "Neg", "Reciprocal",
        "Relu", "Selu",        "Sigmoid",   "Softplus",  "Sqrt", "Tanh"})
    if (g.is(n, one)) return 1;
  if (g.node(n).opset < 7) return 0; // other rules of broadcasting
  for (const auto* two : {"Add", "Div", "Mul", "PRelu", "Pow", "Sub"})
    if (g.is(n, two)) return 2;
  return 0;
}

/// The operators between a Transpose and those before it that undo or join it, and what they will
/// read.
struct tree {
  order first;                           ///< of all Transposes before
  std::vector<std::size_t> nodes;        ///< in the order of the walk back
  std::map<value_id, value_id> replaced; ///< results of those Transposes by their operands
  std::vector<value_id> constants;       ///< with one axis of more than one element, or none
  std::map<value_id, std::size_t> reads; ///< of those results, by operators of the tree
};

bool is_row(const tensor& content) {
  return std::count_if(content.dims().begin(), content.dims().end(),
                       [](std::int64_t extent) { return extent != 1; }) <= 1;
}

/// Walks back from `id`, which `reader` reads. False if not every path ends in a Transpose of the
/// same order or a constant that is easily turned.
bool walk(const graph_editor& g, value_id id, std::size_t reader, tree& found) {
  constexpr std::size_t most = 16;
  if (const auto* content = g.constant(id)) {
    found.constants.push_back(id);
    return is_row(*content);
  }
  const auto axes = order_of(g, g.producer(id));
  if (!axes.empty()) {
    if (found.first.empty()) found.first = axes;
    found.replaced[id] = g.input(*g.producer(id), 0);
    ++found.reads[id];
    return found.first == axes && is_order(axes);
  }
  const auto n = g.private_producer(id, reader);
  const auto inputs = n ? elementwise_inputs(g, *n) : 0;
  if (inputs == 0 || found.nodes.size() == most) return false;
  found.nodes.push_back(*n);
  for (std::size_t i = 0; i < inputs; ++i)
    if (!walk(g, g.input(*n, i), *n, found)) return false;
  return true;
}

/// A row that is broadcast to a tensor whose axes are turned by `axes`, for the tensor before it.
value_id turned_back(graph_editor& g, value_id id, const order& axes) {
  const auto& content = *g.constant(id);
  if (content.element_count() == 1) return id;
  auto dims = shape::filled(static_cast<int>(axes.size()), 1);
  const auto missing = static_cast<int>(axes.size()) - content.dims().rank();
  for (int i = 0; i < content.dims().rank(); ++i)
    dims[static_cast<int>(axes[static_cast<std::size_t>(i + missing)])] = content.dims()[i];
  return g.add_constant(g.value(id).name, content.reshaped(dims));
}

/// Computes what is between the Transposes in the order before them; the last value of it, or what
/// was turned if nothing is between.
value_id compute_turned(graph_editor& g, tree& found, value_id last) {
  for (const auto id : found.constants)
    if (!found.replaced.contains(id)) found.replaced[id] = turned_back(g, id, found.first);
  std::reverse(found.nodes.begin(), found.nodes.end()); // what is read comes first
  for (const auto n : found.nodes) {
    auto node = g.node(n);
    const auto result = node.outputs[0];
    for (std::size_t i = 0; i < elementwise_inputs(g, n); ++i)
      node.inputs[i] = found.replaced.at(node.inputs[i]);
    node.outputs = {g.add_value(g.value(result).name, g.element_type(result))};
    found.replaced[result] = node.outputs[0];
    g.replace(n, std::move(node));
  }
  return found.replaced.at(last);
}

/// Whether nobody else reads what the Transposes before it give.
bool frees_all(const graph_editor& g, const tree& found) {
  return std::all_of(found.reads.begin(), found.reads.end(), [&](const auto& read) {
    return !g.is_output(read.first) && g.reads(read.first) == read.second;
  });
}

void join_behind(graph_editor& g, std::size_t n) {
  const auto then = order_of(g, n);
  tree found;
  if (!is_order(then) || !walk(g, g.input(n, 0), n, found)) return;
  const auto both = composed(found.first, then);
  const bool ranks_fit = std::all_of(found.constants.begin(), found.constants.end(), [&](auto id) {
    return g.constant(id)->dims().rank() <= static_cast<int>(then.size());
  });
  if (both.empty() || !ranks_fit || (!keeps_order(both) && !frees_all(g, found))) return;
  const auto last = g.input(n, 0);
  auto node = g.node(n);
  node.inputs = {compute_turned(g, found, last)};
  node.attrs.set("perm", both);
  g.replace(n, std::move(node));
  if (keeps_order(both)) g.bypass(n, 0);
}

/// Whether the Transpose that writes `id` swaps the last two axes and no others.
bool swaps_last(const graph_editor& g, value_id id) {
  auto axes = order_of(g, g.producer(id));
  if (axes.size() < 2) return false;
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return is_order(axes) && keeps_order(axes);
}

bool is_microsoft(const graph_editor& g, std::size_t n, std::string_view name) {
  const auto& def = *g.node(n).definition;
  return g.alive(n) && def.domain == "com.microsoft" && def.name == name;
}

void join_product(graph_editor& g, std::size_t n) {
  const bool plain = g.is(n, "MatMul");
  if (!plain && !g.is(n, "Gemm") && !is_microsoft(g, n, "FusedMatMul")) return;
  auto node = g.node(n);
  if (plain) {
    const auto fused = find_operator("FusedMatMul", "com.microsoft", 1, node.name);
    if (!fused) return;
    node.definition = *fused;
    node.opset = 1;
  }
  bool changed = false;
  for (const std::size_t i : {0, 1}) {
    if (!swaps_last(g, node.inputs[i])) continue;
    const char* const name = i == 0 ? "transA" : "transB";
    node.attrs.set(name, std::int64_t{node.attrs.get_int(name, 0) == 0 ? 1 : 0});
    node.inputs[i] = g.input(*g.producer(node.inputs[i]), 0);
    changed = true;
  }
  if (changed) g.replace(n, std::move(node));
}

} // namespace

void join_transposes(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n)
    if (g.is(n, "Transpose")) join_behind(g, n);
}

void fuse_transposes(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) join_product(g, n);
}

} // namespace shoal::rewrite_rules
