#include "tests/support/examples/examples.hpp"

#include <random>

namespace shoal::test {
namespace {

using namespace examples;

class draw {
 public:
  explicit draw(std::uint64_t seed) : random_(seed) {}
  /// Both included.
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  std::vector<std::int64_t> numbers(std::size_t count, std::int64_t low, std::int64_t high) {
    std::vector<std::int64_t> all(count);
    for (auto& n : all) n = number(low, high);
    return all;
  }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return all.begin()[number(0, static_cast<std::int64_t>(all.size()) - 1)];
  }
  node_input values(const shape& dims) { return random_tensor({dtype::f32, dims}, random_()); }

 private:
  std::mt19937_64 random_;
};

/// Strides, dilations and padding of a window over two axes.
attributes window(draw& d, const std::vector<std::int64_t>& kernel, bool dilates) {
  attributes attrs = attrs_of({{"kernel_shape", kernel}, {"strides", d.numbers(2, 1, 4)}});
  if (dilates && d.number(0, 1) == 1) attrs.set("dilations", d.numbers(2, 1, 3));
  const auto* mode = d.one_of({"NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"});
  attrs.set("auto_pad", std::string(mode));
  if (std::string_view(mode) == "NOTSET")
    attrs.set("pads", d.numbers(4, 0, std::min(kernel[0], kernel[1]) - 1));
  return attrs;
}

node_case convolution(draw& d, const char* op) {
  const auto kernel = d.numbers(2, 1, 4);
  auto attrs = window(d, kernel, true);
  const auto group = d.number(1, 2);
  attrs.set("group", group);
  const bool transposed = std::string_view(op) == "ConvTranspose";
  const std::int64_t in = 2 * group, out = 3 * group;
  return {.op = op,
          .inputs = {d.values({1, in, d.number(2, 9), d.number(2, 9)}),
                     fixed(d.values(transposed ? shape{in, 3, kernel[0], kernel[1]}
                                               : shape{out, 2, kernel[0], kernel[1]}))},
          .attrs = attrs};
}

node_case pool(draw& d, const char* op) {
  auto attrs = window(d, d.numbers(2, 1, 4), true);
  attrs.set("ceil_mode", d.number(0, 1));
  return {.op = op,
          .inputs = {d.values({1, 2, d.number(3, 9), d.number(3, 9)})},
          .attrs = attrs,
          .opset = 19};
}

node_case resize(draw& d) {
  const auto* mode = d.one_of({"nearest", "linear", "cubic"});
  auto attrs = attrs_of(
      {{"mode", mode},
       {"coordinate_transformation_mode",
        d.one_of({"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"})},
       {"nearest_mode", d.one_of({"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})},
       {"antialias", d.number(0, 1)}});
  return {.op = "Resize",
          .inputs = {d.values({1, 1, d.number(2, 9), d.number(2, 9)}), none(), none(),
                     listed({1, 1, d.number(1, 14), d.number(1, 14)})},
          .attrs = attrs,
          .opset = 18};
}

node_case pad(draw& d) {
  auto pads = d.numbers(8, -1, 3);
  pads[0] = pads[1] = pads[4] = pads[5] = 0;
  return {.op = "Pad",
          .inputs = {d.values({1, 2, d.number(4, 7), d.number(4, 7)}), listed(pads)},
          .attrs = attrs_of({{"mode", d.one_of({"constant", "reflect", "edge", "wrap"})}}),
          .opset = 19};
}

node_case slice(draw& d) {
  const auto step = d.one_of<std::int64_t>({-3, -2, -1, 1, 2, 3});
  return {.op = "Slice",
          .inputs = {d.values({2, d.number(3, 9), d.number(3, 9)}), listed(d.numbers(2, -9, 9)),
                     listed(d.numbers(2, -9, 9)), listed({1, 2}), listed({step, d.number(1, 3)})}};
}

} // namespace

node_case random_window(std::uint64_t seed) {
  draw d(seed);
  switch (d.number(0, 7)) {
  case 0:
  case 1:
    return convolution(d, "Conv");
  case 2:
  case 3:
    return convolution(d, "ConvTranspose");
  case 4:
    return pool(d, d.one_of({"MaxPool", "AveragePool"}));
  case 5:
    return resize(d);
  case 6:
    return pad(d);
  default:
    return slice(d);
  }
}

} // namespace shoal::test
