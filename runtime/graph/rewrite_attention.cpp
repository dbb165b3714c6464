#include "runtime/graph/rewrite_patterns.hpp"
#include "runtime/graph/rewrite_rules.hpp"

#include <cmath>

// Attention as exporters write it out:
//
//   Transpose(MatMul(Softmax(scale * MatMul(Q, K') + mask), V), perm 0 2 1 3)
//
// with K' a Transpose that swaps rows and sizes, the scale on Q, K' or the product, in any parts,
// and mask a sum, a Where, or none. The last Transpose proves that nothing here has more than four
// axes.

namespace shoal::rewrite_rules {
namespace {

using order = std::vector<std::int64_t>;

/// An operand and the order of its axes.
struct attended {
  value_id value = no_value;
  bool rows_first = false;
};

struct found_attention {
  attended q, k, v;
  value_id mask = no_value;
  std::optional<float> fill; ///< `mask` says where scores are replaced by this, if set
  double scale = 1;
  bool is_scaled = false;
  std::vector<std::size_t> nodes;     ///< the product of Q and K' last
  std::optional<std::size_t> earlier; ///< a scaling of Q before a Reshape
};

bool transposes(const graph_editor& g, std::optional<std::size_t> n, const order& wanted) {
  if (!n || !g.is(*n, "Transpose")) return false;
  const auto perm = g.node(*n).attrs.get_ints("perm");
  return order(perm.begin(), perm.end()) == wanted;
}

/// The constant factor of a product or quotient and what it is multiplied with; `n` may be none.
std::optional<std::pair<double, value_id>> read_scaling(const graph_editor& g,
                                                        std::optional<std::size_t> n) {
  const bool quotient = n && g.is(*n, "Div");
  if (!n || (!quotient && !g.is(*n, "Mul"))) return std::nullopt;
  for (const std::size_t i : {1, 0}) {
    if (quotient && i == 0) break;
    const auto* factor = g.constant(g.input(*n, i));
    if (factor == nullptr || factor->element_type() != dtype::f32 || factor->element_count() != 1 ||
        g.constant(g.input(*n, 1 - i)) != nullptr)
      continue;
    const auto value = static_cast<double>(factor->values<float>()[0]);
    return std::pair{quotient ? 1 / value : value, g.input(*n, 1 - i)};
  }
  return std::nullopt;
}

/// Takes factors off the operand `id` of the first product. Others may read it all the same.
value_id unscaled(const graph_editor& g, value_id id, found_attention& found) {
  while (const auto scaling = read_scaling(g, g.producer(id))) {
    found.scale *= scaling->first;
    found.is_scaled = true;
    id = scaling->second;
  }
  return id;
}

attended read_operand(const graph_editor& g, value_id id) {
  const auto producer = g.producer(id);
  if (transposes(g, producer, {0, 2, 1, 3})) return {g.input(*producer, 0), true};
  return {id, false};
}

/// As exporters scale Q before they split its heads: a factor that nobody but product `n` reads, by
/// way of a Reshape and a Transpose.
void read_earlier_scaling(const graph_editor& g, std::size_t n, found_attention& found) {
  const auto turned = private_node(g, g.input(n, 0), n, "Transpose");
  const auto split =
      turned ? private_node(g, g.input(*turned, 0), *turned, "Reshape") : std::nullopt;
  const auto product = split ? g.private_producer(g.input(*split, 0), *split) : std::nullopt;
  if (!found.q.rows_first || !read_scaling(g, product)) return;
  found.scale *= read_scaling(g, product)->first;
  found.is_scaled = true;
  found.earlier = product;
}

/// scale * Q K', read by `reader` alone.
bool read_scores(const graph_editor& g, value_id id, std::size_t reader, found_attention& found) {
  auto n = g.private_producer(id, reader);
  while (const auto scaling = read_scaling(g, n)) {
    found.scale *= scaling->first;
    found.is_scaled = true;
    found.nodes.push_back(*n);
    n = g.private_producer(scaling->second, *n);
  }
  if (!n || !g.is(*n, "MatMul")) return false;
  found.nodes.push_back(*n);
  found.q = read_operand(g, unscaled(g, g.input(*n, 0), found));
  found.q.value = unscaled(g, found.q.value, found);
  read_earlier_scaling(g, *n, found);
  const auto keys = g.producer(unscaled(g, g.input(*n, 1), found));
  if (transposes(g, keys, {0, 2, 3, 1}))
    found.k = {g.input(*keys, 0), true};
  else if (transposes(g, keys, {0, 1, 3, 2}))
    found.k = read_operand(g, g.input(*keys, 0));
  if (found.k.value != no_value) found.k.value = unscaled(g, found.k.value, found);
  return found.k.value != no_value;
}

/// What replaces a score so far below all others that adding it to the score does the same.
std::optional<float> far_below(const graph_editor& g, value_id id) {
  const auto* content = g.constant(id);
  if (content == nullptr || content->element_type() != dtype::f32 || content->element_count() != 1)
    return std::nullopt;
  const float value = content->values<float>()[0];
  return value <= -1e30f ? std::optional(value) : std::nullopt;
}

/// What the softmax `n` normalises.
std::optional<found_attention> read_masked(const graph_editor& g, std::size_t softmax) {
  const auto id = g.input(softmax, 0);
  const auto n = g.private_producer(id, softmax);
  if (n && g.is(*n, "Add"))
    for (const std::size_t i : {0, 1}) {
      found_attention found;
      found.nodes = {*n};
      found.mask = g.input(*n, 1 - i);
      if (read_scores(g, g.input(*n, i), *n, found)) return found;
    }
  if (n && g.is(*n, "Where")) {
    found_attention found;
    found.nodes = {*n};
    found.mask = g.input(*n, 0);
    found.fill = far_below(g, g.input(*n, 1));
    if (found.fill && read_scores(g, g.input(*n, 2), *n, found)) return found;
  }
  found_attention found;
  if (read_scores(g, id, softmax, found)) return found;
  return std::nullopt;
}

bool is_over_last_axis(const graph_editor& g, std::size_t softmax) {
  const auto& node = g.node(softmax);
  const auto axis = node.attrs.get_int("axis", node.opset < 13 ? 1 : -1);
  return axis == -1 || axis == 3;
}

/// Whether `id` is float32 for certain, from constants that it is computed with. Looks back a few
/// steps.
bool is_float(const graph_editor& g, value_id id, int steps = 8) {
  if (const auto type = g.element_type(id)) return *type == dtype::f32;
  const auto n = g.producer(id);
  if (!n || steps == 0) return false;
  for (const auto* same : {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Split", "Slice",
                           "Gather", "Relu", "LayerNormalization"})
    if (g.is(*n, same)) return is_float(g, g.input(*n, 0), steps - 1);
  for (const auto* of_both : {"Add", "Sub", "Mul", "Div", "MatMul", "Gemm"})
    if (g.is(*n, of_both))
      return is_float(g, g.input(*n, 0), steps - 1) || is_float(g, g.input(*n, 1), steps - 1);
  return false;
}

/// Node `n` is the Transpose behind it all.
std::optional<found_attention> read_attention(const graph_editor& g, std::size_t n) {
  if (!transposes(g, n, {0, 2, 1, 3})) return std::nullopt;
  const auto mixed = private_node(g, g.input(n, 0), n, "MatMul");
  const auto softmax =
      mixed ? private_node(g, g.input(*mixed, 0), *mixed, "Softmax") : std::nullopt;
  if (!softmax || !is_over_last_axis(g, *softmax)) return std::nullopt;
  auto found = read_masked(g, *softmax);
  if (!found || (!found->is_scaled && !is_float(g, found->q.value) && !is_float(g, found->k.value)))
    return std::nullopt;
  if (!std::isfinite(static_cast<float>(found->scale))) return std::nullopt;
  found->v = read_operand(g, g.input(*mixed, 1));
  found->nodes.insert(found->nodes.begin(), {*mixed, *softmax});
  return found;
}

/// The mask of a Where as one to add: `fill` where it says so, 0 elsewhere.
value_id as_sum(graph_editor& g, const found_attention& found) {
  const auto& where = g.node(found.nodes[2]);
  graph_node node = where;
  node.name = g.unique_name(where.name + "/mask");
  node.inputs[2] = g.add_constant(node.name + "/zero", tensor::of<float>({}, {0}));
  node.outputs = {g.add_value(node.name, dtype::f32)};
  g.append(node);
  return node.outputs[0];
}

} // namespace

void fuse_attention(graph_editor& g) {
  const auto count = g.node_count();
  for (std::size_t n = 0; n < count; ++n) {
    if (!g.is(n, "Transpose")) continue;
    auto found = read_attention(g, n);
    if (!found) continue;
    auto node = in_place_of(g, n, "ScaledDotProductAttention", "shoal",
                            {found->q.value, found->k.value, found->v.value});
    if (!node) continue;
    if (found->fill) found->mask = as_sum(g, *found);
    if (found->mask != no_value) node->inputs.push_back(found->mask);
    node->name = g.node(found->nodes.back()).name;
    node->attrs.set("scale", static_cast<float>(found->scale));
    const auto set = [&](const char* name, const attended& operand) {
      if (operand.rows_first) node->attrs.set(name, std::int64_t{1});
    };
    set("q_rows_first", found->q);
    set("k_rows_first", found->k);
    set("v_rows_first", found->v);
    for (const auto between : found->nodes) g.remove(between);
    if (found->earlier)
      g.redirect_reads(g.node(*found->earlier).outputs[0], read_scaling(g, found->earlier)->second);
    g.replace(n, *std::move(node));
  }
}

} // namespace shoal::rewrite_rules
