#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <cmath>

namespace shoal::test {
namespace {

class resnet_builder {
 public:
  explicit resnet_builder(const resnet_options& options)
      : options_(options), m_("resnet", 13, options.seed) {}

  graph build() && {
    auto x = m_.input("image", dtype::f32, {"N", 3, options_.size, options_.size});
    m_.enter("stem/");
    x = relu(norm(conv(x, 3, options_.width, 7, 2), options_.width));
    x = m_.node(
        "MaxPool", {x},
        attrs_of(
            {{"kernel_shape", ints{3, 3}}, {"strides", ints{2, 2}}, {"pads", ints{1, 1, 1, 1}}}));
    auto channels = options_.width;
    for (std::size_t stage = 0; stage < options_.blocks.size(); ++stage)
      for (int block = 0; block < options_.blocks[stage]; ++block) {
        m_.enter(fmt::format("stage{}/block{}/", stage + 1, block + 1));
        const auto inner = options_.width << stage;
        x = bottleneck(x, channels, inner, stage > 0 && block == 0 ? 2 : 1);
        channels = inner * expansion;
      }
    m_.enter("head/");
    x = m_.node("Flatten", {m_.node("GlobalAveragePool", {x})});
    const auto w = m_.random({options_.classes, channels}, 1 / std::sqrt(float(channels)));
    x = m_.node("Gemm", {x, w, m_.random({options_.classes}, 0.1f)},
                attrs_of({{"transB", std::int64_t{1}}}));
    m_.output(x, "logits");
    return std::move(m_).build();
  }

 private:
  using ints = std::vector<std::int64_t>;
  static constexpr std::int64_t expansion = 4;

  value_id conv(value_id x, std::int64_t in, std::int64_t out, std::int64_t kernel,
                std::int64_t stride) {
    const auto pad = kernel / 2;
    const auto w =
        m_.random({out, in, kernel, kernel}, std::sqrt(2.0f / float(in * kernel * kernel)));
    return m_.node("Conv", {x, w},
                   attrs_of({{"kernel_shape", ints{kernel, kernel}},
                             {"strides", ints{stride, stride}},
                             {"pads", ints{pad, pad, pad, pad}}}));
  }

  value_id norm(value_id x, std::int64_t channels, float gain = 1) {
    const auto scale = m_.random({channels}, 0.1f * gain, gain);
    const auto shift = m_.random({channels}, 0.1f), mean = m_.random({channels}, 0.1f);
    const auto variance = m_.random({channels}, 0.1f, 1);
    return m_.node("BatchNormalization", {x, scale, shift, mean, variance},
                   attrs_of({{"epsilon", 1e-5f}}));
  }

  value_id relu(value_id x) { return m_.node("Relu", {x}); }

  value_id bottleneck(value_id x, std::int64_t in, std::int64_t inner, std::int64_t stride) {
    const auto out = inner * expansion;
    auto y = relu(norm(conv(x, in, inner, 1, 1), inner));
    y = relu(norm(conv(y, inner, inner, 3, stride), inner));
    // A small gain on the branch: sixteen sums in a row would otherwise grow without end.
    y = norm(conv(y, inner, out, 1, 1), out, 0.3f);
    if (in != out || stride != 1) x = norm(conv(x, in, out, 1, stride), out);
    return relu(m_.node("Add", {y, x}));
  }

  const resnet_options& options_;
  model_builder m_;
};

} // namespace

graph make_resnet(const resnet_options& options) {
  return resnet_builder(options).build();
}

} // namespace shoal::test
