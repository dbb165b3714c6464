#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <cmath>

namespace shoal::test {
namespace {

class squeezenet_builder {
 public:
  explicit squeezenet_builder(const squeezenet_options& options)
      : options_(options), m_("squeezenet", 13, options.seed) {}

  graph build() && {
    auto x = m_.input("image", dtype::f32, {"N", 3, options_.size, options_.size});
    m_.enter("stem/");
    x = pool(conv_relu(x, 3, 64, 3, 2, 0));
    std::int64_t channels = 64;
    int number = 2;
    for (const std::int64_t inner : {16, 16, 32, 32, 48, 48, 64, 64}) {
      m_.enter(fmt::format("fire{}/", number));
      x = fire(x, channels, inner);
      channels = 8 * inner;
      if (number == 3 || number == 5) x = pool(x);
      ++number;
    }
    m_.enter("head/");
    x = m_.node("GlobalAveragePool", {conv_relu(x, channels, options_.classes, 1, 1, 0)});
    x = m_.node("Softmax", {m_.node("Flatten", {x})}, attrs_of({{"axis", std::int64_t{1}}}));
    m_.output(x, "probabilities");
    return std::move(m_).build();
  }

 private:
  using ints = std::vector<std::int64_t>;

  value_id conv_relu(value_id x, std::int64_t in, std::int64_t out, std::int64_t kernel,
                     std::int64_t stride, std::int64_t pad) {
    const auto w =
        m_.random({out, in, kernel, kernel}, std::sqrt(2.0f / float(in * kernel * kernel)));
    x = m_.node("Conv", {x, w, m_.random({out}, 0.1f)},
                attrs_of({{"kernel_shape", ints{kernel, kernel}},
                          {"strides", ints{stride, stride}},
                          {"pads", ints{pad, pad, pad, pad}}}));
    return m_.node("Relu", {x});
  }

  value_id pool(value_id x) {
    return m_.node("MaxPool", {x},
                   attrs_of({{"kernel_shape", ints{3, 3}}, {"strides", ints{2, 2}}}));
  }

  value_id fire(value_id x, std::int64_t in, std::int64_t inner) {
    const auto squeezed = conv_relu(x, in, inner, 1, 1, 0);
    const auto points = conv_relu(squeezed, inner, 4 * inner, 1, 1, 0);
    const auto windows = conv_relu(squeezed, inner, 4 * inner, 3, 1, 1);
    return m_.node("Concat", {points, windows}, attrs_of({{"axis", std::int64_t{1}}}));
  }

  const squeezenet_options& options_;
  model_builder m_;
};

} // namespace

graph make_squeezenet(const squeezenet_options& options) {
  return squeezenet_builder(options).build();
}

} // namespace shoal::test
