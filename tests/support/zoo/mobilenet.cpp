#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <cmath>

namespace shoal::test {
namespace {

class mobilenet_builder {
 public:
  explicit mobilenet_builder(const mobilenet_options& options)
      : options_(options), m_("mobilenet_v2", 13, options.seed) {}

  graph build() && {
    /// Rows of table 2 of the paper.
    struct row {
      std::int64_t expansion, channels, repeats, stride;
    };
    constexpr row rows[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                            {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    auto x = m_.input("image", dtype::f32, {"N", 3, options_.size, options_.size});
    m_.enter("stem/");
    x = relu6(conv_norm(x, 3, 32, 3, 2, 1));
    std::int64_t channels = 32;
    int block = 0;
    for (const auto& r : rows)
      for (std::int64_t i = 0; i < r.repeats; ++i) {
        m_.enter(fmt::format("block{}/", ++block));
        x = inverted_residual(x, channels, r.channels, r.expansion, i == 0 ? r.stride : 1);
        channels = r.channels;
      }
    m_.enter("head/");
    x = relu6(conv_norm(x, channels, last_channels, 1, 1, 1));
    x = m_.node("ReduceMean", {x}, attrs_of({{"axes", ints{2, 3}}, {"keepdims", std::int64_t{0}}}));
    const auto w =
        m_.random({last_channels, options_.classes}, 1 / std::sqrt(float(last_channels)));
    x = m_.node("Gemm", {x, w, m_.random({options_.classes}, 0.1f)});
    m_.output(x, "logits");
    return std::move(m_).build();
  }

 private:
  using ints = std::vector<std::int64_t>;
  static constexpr std::int64_t last_channels = 1280;

  value_id conv_norm(value_id x, std::int64_t in, std::int64_t out, std::int64_t kernel,
                     std::int64_t stride, std::int64_t groups) {
    const auto pad = kernel / 2, fan_in = in / groups * kernel * kernel;
    const auto w = m_.random({out, in / groups, kernel, kernel}, std::sqrt(2.0f / float(fan_in)));
    x = m_.node("Conv", {x, w},
                attrs_of({{"kernel_shape", ints{kernel, kernel}},
                          {"strides", ints{stride, stride}},
                          {"pads", ints{pad, pad, pad, pad}},
                          {"group", groups}}));
    const auto scale = m_.random({out}, 0.1f, 1), shift = m_.random({out}, 0.1f),
               mean = m_.random({out}, 0.1f), variance = m_.random({out}, 0.1f, 1);
    return m_.node("BatchNormalization", {x, scale, shift, mean, variance});
  }

  value_id relu6(value_id x) { return m_.node("Clip", {x, m_.scalar(0), m_.scalar(6)}); }

  value_id inverted_residual(value_id x, std::int64_t in, std::int64_t out, std::int64_t expansion,
                             std::int64_t stride) {
    const auto inner = in * expansion;
    auto y = x;
    if (expansion != 1) y = relu6(conv_norm(y, in, inner, 1, 1, 1));
    y = relu6(conv_norm(y, inner, inner, 3, stride, inner));
    y = conv_norm(y, inner, out, 1, 1, 1);
    return in == out && stride == 1 ? m_.node("Add", {x, y}) : y;
  }

  const mobilenet_options& options_;
  model_builder m_;
};

} // namespace

graph make_mobilenet(const mobilenet_options& options) {
  return mobilenet_builder(options).build();
}

} // namespace shoal::test
