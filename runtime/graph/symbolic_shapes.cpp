#include "runtime/graph/symbolic_shapes.hpp"

#include "runtime/operators/operator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>

namespace shoal {
namespace {

template <std::size_t N>
bool is_any(const graph_editor& g, std::size_t n, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(), [&](auto name) { return g.is(n, name); });
}

/// Output 0 has the shape of input 0.
constexpr std::array<std::string_view, 22> keep_shape = {"BatchNormalization",
                                                         "Cast",
                                                         "Clip",
                                                         "Dropout",
                                                         "Elu",
                                                         "Erf",
                                                         "Gelu",
                                                         "Exp",
                                                         "HardSwish",
                                                         "Identity",
                                                         "LRN",
                                                         "HardSigmoid",
                                                         "LeakyRelu",
                                                         "Mish",
                                                         "Relu",
                                                         "Selu",
                                                         "Sqrt",
                                                         "InstanceNormalization",
                                                         "Sigmoid",
                                                         "Softmax",
                                                         "Softplus",
                                                         "Tanh"};
constexpr std::array<std::string_view, 4> broadcast = {"Add", "Sub", "Mul", "Div"};
constexpr std::array<std::string_view, 2> pools = {"MaxPool", "AveragePool"};
constexpr std::array<std::string_view, 2> global_pools = {"GlobalAveragePool", "GlobalMaxPool"};

/// An attribute with one entry per spatial axis; `fallback` for each where it is absent.
std::vector<std::int64_t> list(const graph_node& node, std::string_view name, std::size_t count,
                               std::int64_t fallback) {
  const auto values = node.attrs.get_ints(name);
  if (values.empty()) return std::vector<std::int64_t>(count, fallback);
  return {values.begin(), values.end()};
}

} // namespace

symbolic_shapes::symbolic_shapes(const graph_editor& g) : g_(g), shapes_(g.value_count()) {
  for (const auto id : g.inputs()) shapes_[id] = declared(id);
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.alive(n) || g.node(n).outputs.empty() || g.node(n).outputs[0] == no_value) continue;
    shapes_[g.node(n).outputs[0]] = of_node(n);
  }
}

bool symbolic_shapes::same(value_id a, value_id b) const {
  return a < shapes_.size() && b < shapes_.size() && shapes_[a] && shapes_[a] == shapes_[b];
}

symbolic_shapes::extent symbolic_shapes::term(const std::string& text) {
  const auto next = -1 - static_cast<extent>(symbols_.size());
  return symbols_.emplace(text, next).first->second;
}

symbolic_shapes::extents symbolic_shapes::declared(value_id id) {
  const auto& dims = g_.value(id).dims;
  if (!dims) return std::nullopt;
  std::vector<extent> shape;
  for (std::size_t i = 0; i < dims->size(); ++i) {
    const auto& d = (*dims)[i];
    if (d.extent >= 0)
      shape.push_back(d.extent);
    else if (d.symbol.empty())
      shape.push_back(term(fmt::format("axis {} of {}", i, id)));
    else
      shape.push_back(term("declared " + d.symbol));
  }
  return shape;
}

const symbolic_shapes::extents& symbolic_shapes::at(value_id id) const {
  static const extents unknown;
  return id == no_value ? unknown : shapes_[id];
}

symbolic_shapes::extents symbolic_shapes::of_node(std::size_t n) {
  if (is_any(g_, n, broadcast)) return of_binary(n);
  if (g_.is(n, "Concat")) return of_concat(n);
  const auto& x = at(g_.input(n, 0));
  if (!x) return std::nullopt;
  if (is_any(g_, n, keep_shape)) return x;
  if (x->size() < 3) return std::nullopt;
  if (g_.is(n, "Conv") || g_.node(n).definition->name == "FusedConv") return of_convolution(n, *x);
  if (is_any(g_, n, pools)) return of_pool(n, *x);
  if (g_.is(n, "Resize")) return of_resize(n, *x);
  if (!is_any(g_, n, global_pools)) return std::nullopt;
  auto y = *x;
  std::fill(y.begin() + 2, y.end(), 1);
  return y;
}

/// Replaces the spatial extents of `x` by those of the places where a window fits.
bool symbolic_shapes::slide(std::size_t n, std::vector<extent>& x,
                            std::vector<std::int64_t> kernel) {
  const auto& node = g_.node(n);
  const auto axes = x.size() - 2;
  const auto strides = list(node, "strides", axes, 1), pads = list(node, "pads", 2 * axes, 0);
  const auto dilations = list(node, "dilations", axes, 1);
  if (kernel.size() != axes || strides.size() != axes || dilations.size() != axes ||
      pads.size() != 2 * axes)
    return false;
  const auto mode = node.attrs.get_string("auto_pad", "NOTSET");
  const bool stated = mode == "NOTSET" || mode.empty();
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  const bool ceil = stated && node.attrs.get_int("ceil_mode", 0) != 0;
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= std::int64_t{1} << 30; };
  for (std::size_t i = 0; i < axes; ++i) {
    const auto begin = pads[i], end = pads[i + axes];
    if (!in_range(kernel[i]) || !in_range(dilations[i]) || !in_range(begin) || !in_range(end))
      return false;
    const auto reach = (kernel[i] - 1) * dilations[i] + 1;
    // The places are (input - net) / stride + 1; auto_pad makes them input / stride, rounded up.
    const auto net = same ? 1 : stated ? reach - begin - end : reach;
    if (strides[i] == 1 && net == 1) continue;
    auto text = fmt::format("window of {} less {} by {}", x[i + 2], net, strides[i]);
    if (ceil) text += fmt::format(" up, from {}", begin);
    x[i + 2] = term(text);
  }
  return true;
}

symbolic_shapes::extents symbolic_shapes::of_convolution(std::size_t n, std::vector<extent> x) {
  const auto* weights = g_.constant(g_.input(n, 1));
  if (weights == nullptr || weights->dims().rank() != static_cast<int>(x.size()))
    return std::nullopt;
  const auto& dims = weights->dims();
  x[1] = dims[0];
  const std::vector<std::int64_t> kernel(dims.begin() + 2, dims.end());
  if (!slide(n, x, kernel)) return std::nullopt;
  return x;
}

symbolic_shapes::extents symbolic_shapes::of_pool(std::size_t n, std::vector<extent> x) {
  const auto kernel = g_.node(n).attrs.get_ints("kernel_shape");
  if (!slide(n, x, {kernel.begin(), kernel.end()})) return std::nullopt;
  return x;
}

symbolic_shapes::extents symbolic_shapes::of_binary(std::size_t n) const {
  const auto side = [&](std::size_t i) -> extents {
    const auto* constant = g_.constant(g_.input(n, i));
    if (constant == nullptr) return at(g_.input(n, i));
    return std::vector<extent>(constant->dims().begin(), constant->dims().end());
  };
  auto a = side(0), b = side(1);
  if (!a || !b) return std::nullopt;
  if (a->size() < b->size()) std::swap(a, b);
  b->insert(b->begin(), a->size() - b->size(), 1);
  for (std::size_t i = 0; i < a->size(); ++i) {
    if ((*a)[i] == (*b)[i] || (*b)[i] == 1) continue;
    if ((*a)[i] != 1) return std::nullopt; // a symbol may turn out to be 1
    (*a)[i] = (*b)[i];
  }
  return a;
}

symbolic_shapes::extents symbolic_shapes::of_concat(std::size_t n) {
  const auto& node = g_.node(n);
  if (node.inputs.empty() || !at(node.inputs[0])) return std::nullopt;
  auto y = *at(node.inputs[0]);
  auto axis = node.attrs.get_int("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(y.size());
  if (axis < 0 || axis >= static_cast<std::int64_t>(y.size())) return std::nullopt;
  const auto joined = static_cast<std::size_t>(axis);
  std::vector<extent> parts;
  for (const auto id : node.inputs) {
    if (!at(id) || at(id)->size() != y.size()) return std::nullopt;
    parts.push_back((*at(id))[joined]);
  }
  const bool fixed = std::all_of(parts.begin(), parts.end(), [](extent e) { return e >= 0; });
  y[joined] = 0;
  if (!fixed) y[joined] = term(fmt::format("sum {}", fmt::join(parts, " ")));
  for (const auto part : parts)
    if (fixed && __builtin_add_overflow(y[joined], part, &y[joined])) return std::nullopt;
  return y;
}

symbolic_shapes::extents symbolic_shapes::of_resize(std::size_t n, std::vector<extent> x) {
  const auto& node = g_.node(n);
  const auto* scales = g_.constant(g_.input(n, node.opset < 11 ? 1 : 2));
  const bool plain = g_.input(n, 3) == no_value && !node.attrs.contains("axes");
  if (scales == nullptr || !plain || scales->element_type() != dtype::f32 ||
      scales->element_count() != static_cast<std::int64_t>(x.size()))
    return std::nullopt;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float scale = scales->values<float>()[i];
    if (scale != 1)
      x[i] = term(fmt::format("resized {} by {}", x[i], std::bit_cast<std::uint32_t>(scale)));
  }
  return x;
}

} // namespace shoal
