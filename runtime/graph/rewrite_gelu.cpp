#include "runtime/graph/rewrite_patterns.hpp"
#include "runtime/graph/rewrite_rules.hpp"

namespace shoal::rewrite_rules {
namespace {

/// x and the nodes that were found between it and a result.
struct found_formula {
  value_id x = no_value;
  std::vector<std::size_t> nodes;
};

/// erf(x / sqrt(2)), read by `reader` alone.
std::optional<found_formula> read_erf(const graph_editor& g, value_id id, std::size_t reader) {
  const auto erf = private_node(g, id, reader, "Erf");
  if (!erf) return std::nullopt;
  const auto scaled = g.input(*erf, 0);
  if (const auto quotient = private_node(g, scaled, *erf, "Div"))
    if (is_scalar(g, g.input(*quotient, 1), 1.41421356f))
      return found_formula{g.input(*quotient, 0), {*erf, *quotient}};
  if (const auto product = private_node(g, scaled, *erf, "Mul"))
    if (const auto x = beside(g, *product, 0.70710678f)) return found_formula{*x, {*erf, *product}};
  return std::nullopt;
}

/// x^3, as a power or as two products.
std::optional<found_formula> read_cube(const graph_editor& g, value_id id, std::size_t reader) {
  if (const auto power = private_node(g, id, reader, "Pow")) {
    if (!is_scalar(g, g.input(*power, 1), 3)) return std::nullopt;
    return found_formula{g.input(*power, 0), {*power}};
  }
  const auto outer = private_node(g, id, reader, "Mul");
  if (!outer) return std::nullopt;
  for (const std::size_t i : {0, 1}) {
    const auto x = g.input(*outer, 1 - i);
    const auto square = private_node(g, g.input(*outer, i), *outer, "Mul");
    if (square && g.input(*square, 0) == x && g.input(*square, 1) == x)
      return found_formula{x, {*outer, *square}};
  }
  return std::nullopt;
}

/// tanh(sqrt(2 / pi) (x + 0.044715 x^3)), read by `reader` alone.
std::optional<found_formula> read_tanh(const graph_editor& g, value_id id, std::size_t reader) {
  const auto tanh = private_node(g, id, reader, "Tanh");
  const auto scaled = tanh ? private_node(g, g.input(*tanh, 0), *tanh, "Mul") : std::nullopt;
  const auto inner = scaled ? beside(g, *scaled, 0.79788456f) : std::nullopt;
  const auto sum = inner ? private_node(g, *inner, *scaled, "Add") : std::nullopt;
  if (!sum) return std::nullopt;
  for (const std::size_t i : {0, 1}) {
    const auto term = private_node(g, g.input(*sum, i), *sum, "Mul");
    const auto factor = term ? beside(g, *term, 0.044715f) : std::nullopt;
    auto cube = factor ? read_cube(g, *factor, *term) : std::nullopt;
    if (!cube || cube->x != g.input(*sum, 1 - i)) continue;
    cube->nodes.insert(cube->nodes.end(), {*tanh, *scaled, *sum, *term});
    return cube;
  }
  return std::nullopt;
}

/// Two factors of the product `n`, one of which is itself a product: three factors and the node
/// that has the last two of them.
struct three_factors {
  value_id value[3];
  std::size_t reader[3];
  std::size_t inner;
};

std::vector<three_factors> read_products(const graph_editor& g, std::size_t n) {
  std::vector<three_factors> ways;
  for (const std::size_t i : {0, 1})
    if (const auto inner = private_node(g, g.input(n, i), n, "Mul"))
      ways.push_back({{g.input(n, 1 - i), g.input(*inner, 0), g.input(*inner, 1)},
                      {n, *inner, *inner},
                      *inner});
  return ways;
}

/// 0.5 x (1 + f(x)) in any order, f as `read` recognises it.
template <class F>
std::optional<found_formula> read_gelu(const graph_editor& g, std::size_t n, F&& read) {
  constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& factors : read_products(g, n))
    for (const auto& order : orders) {
      if (!is_scalar(g, factors.value[order[0]], 0.5f)) continue;
      const auto sum = private_node(g, factors.value[order[2]], factors.reader[order[2]], "Add");
      const auto function = sum ? beside(g, *sum, 1) : std::nullopt;
      auto formula = function ? read(g, *function, *sum) : std::nullopt;
      if (!formula || formula->x != factors.value[order[1]]) continue;
      formula->nodes.insert(formula->nodes.end(), {factors.inner, *sum});
      return formula;
    }
  return std::nullopt;
}

/// x sigmoid(x) or x sigmoid(a x).
std::optional<std::pair<found_formula, float>> read_swish(const graph_editor& g, std::size_t n) {
  for (const std::size_t i : {0, 1}) {
    const auto x = g.input(n, 1 - i);
    const auto sigmoid = private_node(g, g.input(n, i), n, "Sigmoid");
    if (!sigmoid) continue;
    if (g.input(*sigmoid, 0) == x) return std::pair{found_formula{x, {*sigmoid}}, 1.0f};
    const auto product = private_node(g, g.input(*sigmoid, 0), *sigmoid, "Mul");
    for (const std::size_t k : {0, 1}) {
      if (!product || g.input(*product, 1 - k) != x) continue;
      if (const auto factor = scalar(g, g.input(*product, k)))
        return std::pair{found_formula{x, {*sigmoid, *product}}, *factor};
    }
  }
  return std::nullopt;
}

void replace(graph_editor& g, std::size_t n, const found_formula& formula, std::string_view op,
             attributes attrs = {}) {
  auto node = in_place_of(g, n, op, "com.microsoft", {formula.x});
  if (!node) return;
  node->attrs = std::move(attrs);
  for (const auto between : formula.nodes) g.remove(between);
  g.replace(n, *std::move(node));
}

} // namespace

void fuse_gelu(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "Mul")) continue;
    if (const auto exact = read_gelu(g, n, read_erf)) {
      replace(g, n, *exact, "Gelu");
    } else if (const auto approximate = read_gelu(g, n, read_tanh)) {
      replace(g, n, *approximate, "FastGelu");
    } else if (const auto swish = read_swish(g, n)) {
      attributes attrs;
      attrs.set("alpha", swish->second);
      replace(g, n, swish->first, "QuickGelu", std::move(attrs));
    }
  }
}

} // namespace shoal::rewrite_rules
