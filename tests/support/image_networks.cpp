#include "tests/support/image_networks.hpp"

#include "tests/support/model_builder.hpp"

#include <fmt/format.h>

namespace shoal::test {
namespace {

using ints = std::vector<std::int64_t>;

class network {
 public:
  explicit network(std::uint64_t seed)
      : b_(fmt::format("network_{}", seed), 17, seed),
        at_(b_.input("x", dtype::f32, {1, 3, "H", "W"})) {
    const auto layers = 2 + numbers().below(5);
    for (std::int64_t i = 0; i < layers; ++i) add_layer();
    b_.output(at_, "y");
  }
  std::shared_ptr<const graph> build() && {
    return std::make_shared<const graph>(std::move(b_).build());
  }

 private:
  random_numbers& numbers() { return b_.numbers(); }
  /// Few, and now and then enough for kernels that want whole vectors.
  std::int64_t some_channels() {
    return numbers().chance(8) ? 16 * (1 + numbers().below(8)) : 1 + numbers().below(6);
  }

  void add_layer() {
    switch (numbers().below(9)) {
    case 0:
    case 1:
      return add_convolution();
    case 2:
      return add_pool();
    case 3:
      return add_skip();
    case 4:
      return add_transposed();
    case 5:
      return add_resize();
    case 6:
      return add_pad();
    case 7:
      at_ = b_.node("Relu", {at_});
      return;
    default:
      return add_shuffle();
    }
  }

  void add_convolution() {
    const auto k = 1 + numbers().below(5), s = 1 + numbers().below(3), d = 1 + numbers().below(2);
    const bool depthwise = numbers().chance(6);
    const auto groups = depthwise ? channels_ : 1;
    const auto out = depthwise ? channels_ : some_channels();
    const auto p = numbers().below(k), q = numbers().below(k);
    const auto w = b_.random({out, channels_ / groups, k, k}, 0.3f);
    at_ = b_.node("Conv", {at_, w},
                  attrs_of({{"strides", ints{s, s}},
                            {"dilations", ints{d, d}},
                            {"pads", ints{p, q, q, p}},
                            {"group", groups}}));
    channels_ = out;
  }

  void add_pool() {
    const auto k = 1 + numbers().below(3), s = 1 + numbers().below(3);
    const auto p = numbers().below(k);
    const bool average = numbers().chance(2);
    auto attrs = attrs_of({{"kernel_shape", ints{k, k}},
                           {"strides", ints{s, s}},
                           {"pads", ints{p, p, p, p}},
                           {"ceil_mode", std::int64_t{numbers().chance(2)}}});
    if (average) attrs.set("count_include_pad", std::int64_t{numbers().chance(2)});
    at_ = b_.node(average ? "AveragePool" : "MaxPool", {at_}, attrs);
  }

  void add_skip() {
    const auto before = at_;
    const auto w = b_.random({channels_, channels_, 3, 3}, 0.3f);
    at_ = b_.node("Conv", {at_, w}, attrs_of({{"pads", ints{1, 1, 1, 1}}}));
    if (numbers().chance(2)) {
      at_ = b_.node("Add", {at_, before});
    } else {
      at_ = b_.node("Concat", {before, at_}, attrs_of({{"axis", std::int64_t{1}}}));
      channels_ *= 2;
    }
  }

  void add_transposed() {
    const auto k = 2 + numbers().below(3), s = 1 + numbers().below(2);
    const auto out = some_channels(), p = numbers().below(2);
    const auto w = b_.random({channels_, out, k, k}, 0.3f);
    at_ = b_.node("ConvTranspose", {at_, w},
                  attrs_of({{"strides", ints{s, s}}, {"pads", ints{p, p, p, p}}}));
    channels_ = out;
  }

  void add_resize() {
    const char* modes[] = {"nearest", "linear", "cubic"};
    const auto scale = numbers().chance(3) ? 0.5f : 2.0f;
    const auto scales = b_.constant(tensor::of<float>({4}, {1, 1, scale, scale}));
    at_ = b_.node("Resize", {at_, no_value, scales},
                  attrs_of({{"mode", std::string(modes[numbers().below(3)])},
                            {"coordinate_transformation_mode",
                             std::string(numbers().chance(2) ? "half_pixel" : "asymmetric")}}));
  }

  void add_pad() {
    const char* modes[] = {"constant", "edge", "reflect"};
    const auto a = numbers().below(3), b = numbers().below(3);
    at_ = b_.node("Pad", {at_, b_.ints({0, 0, a, b, 0, 0, b, a})},
                  attrs_of({{"mode", std::string(modes[numbers().below(3)])}}));
  }

  void add_shuffle() {
    if (channels_ % 4 != 0) return add_convolution();
    at_ = b_.node("DepthToSpace", {at_}, attrs_of({{"blocksize", std::int64_t{2}}}));
    channels_ /= 4;
  }

  model_builder b_;
  value_id at_;
  std::int64_t channels_ = 3;
};

} // namespace

std::shared_ptr<const graph> make_image_network(std::uint64_t seed) {
  return network(seed).build();
}

} // namespace shoal::test
