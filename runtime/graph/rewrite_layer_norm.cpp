#include "runtime/graph/rewrite_patterns.hpp"
#include "runtime/graph/rewrite_rules.hpp"

#include <algorithm>

namespace shoal::rewrite_rules {
namespace {

/// Whether node `n` is the mean over the last axis, which stays with an extent of 1.
bool is_row_mean(const graph_editor& g, std::size_t n) {
  if (!g.is(n, "ReduceMean")) return false;
  const auto& attrs = g.node(n).attrs;
  if (attrs.get_int("keepdims", 1) != 1) return false;
  if (const auto* given = g.constant(g.input(n, 1)))
    return given->element_type() == dtype::i64 && given->element_count() == 1 &&
           given->values<std::int64_t>()[0] == -1;
  const auto axes = attrs.get_ints("axes");
  return g.input(n, 1) == no_value && axes.size() == 1 && axes[0] == -1;
}

/// The nodes of a normalisation, from the last to the first.
struct found_norm {
  value_id x = no_value, scale = no_value, shift = no_value;
  float epsilon = 0;
  std::vector<std::size_t> nodes;
};

/// The operand of `n` that is a constant row, and the other one.
std::optional<std::pair<value_id, value_id>> row_and_other(const graph_editor& g, std::size_t n) {
  for (const std::size_t i : {0, 1}) {
    const auto* row = g.constant(g.input(n, i));
    if (row != nullptr && row->element_type() == dtype::f32 && row->dims().rank() == 1)
      return std::pair{g.input(n, i), g.input(n, 1 - i)};
  }
  return std::nullopt;
}

/// sqrt(mean(d^2) + epsilon) of the values `d`, read by `reader` alone. The number of times it
/// reads `d` goes to `reads`.
bool read_deviation(const graph_editor& g, value_id id, std::size_t reader, value_id d,
                    found_norm& found, std::size_t& reads) {
  const auto root = private_node(g, id, reader, "Sqrt");
  const auto sum = root ? private_node(g, g.input(*root, 0), *root, "Add") : std::nullopt;
  if (!sum) return false;
  for (const std::size_t i : {0, 1}) {
    const auto epsilon = scalar(g, g.input(*sum, i));
    const auto mean = g.private_producer(g.input(*sum, 1 - i), *sum);
    if (!epsilon || !mean || !is_row_mean(g, *mean)) continue;
    const auto squares = g.private_producer(g.input(*mean, 0), *mean);
    if (!squares || g.input(*squares, 0) != d) return false;
    const bool power = g.is(*squares, "Pow") && is_scalar(g, g.input(*squares, 1), 2);
    const bool product = g.is(*squares, "Mul") && g.input(*squares, 1) == d;
    if (!power && !product) return false;
    found.epsilon = *epsilon;
    found.nodes.insert(found.nodes.end(), {*root, *sum, *mean, *squares});
    reads = product ? 2 : 1;
    return true;
  }
  return false;
}

/// (x - mean(x)) / sqrt(...) * scale + shift, whose last sum is node `n`.
std::optional<found_norm> read_norm(const graph_editor& g, std::size_t n) {
  found_norm found;
  const auto shifted = row_and_other(g, n);
  const auto product = shifted ? private_node(g, shifted->second, n, "Mul") : std::nullopt;
  const auto scaled = product ? row_and_other(g, *product) : std::nullopt;
  const auto quotient = scaled ? private_node(g, scaled->second, *product, "Div") : std::nullopt;
  if (!quotient) return std::nullopt;
  const auto centred = g.input(*quotient, 0);
  const auto difference = g.producer(centred);
  std::size_t reads = 0;
  if (!difference || !g.is(*difference, "Sub") || g.is_output(centred)) return std::nullopt;
  if (!read_deviation(g, g.input(*quotient, 1), *quotient, centred, found, reads) ||
      g.reads(centred) != reads + 1)
    return std::nullopt;
  const auto mean = g.private_producer(g.input(*difference, 1), *difference);
  found.x = g.input(*difference, 0);
  if (!mean || !is_row_mean(g, *mean) || g.input(*mean, 0) != found.x) return std::nullopt;
  if (g.constant(shifted->first)->dims() != g.constant(scaled->first)->dims()) return std::nullopt;
  found.scale = scaled->first;
  found.shift = shifted->first;
  found.nodes.insert(found.nodes.end(), {*product, *quotient, *difference, *mean});
  return found;
}

} // namespace

void fuse_layer_norm(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "Add")) continue;
    const auto found = read_norm(g, n);
    if (!found) continue;
    auto node =
        in_place_of(g, n, "LayerNormalization", "shoal", {found->x, found->scale, found->shift});
    if (!node) continue;
    node->attrs.set("axis", std::int64_t{-1});
    node->attrs.set("epsilon", found->epsilon);
    for (const auto between : found->nodes) g.remove(between);
    g.replace(n, *std::move(node));
  }
}

} // namespace shoal::rewrite_rules
