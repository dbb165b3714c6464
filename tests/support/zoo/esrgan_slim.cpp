#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <cmath>

namespace shoal::test {
namespace {

class esrgan_builder {
 public:
  explicit esrgan_builder(const esrgan_options& options) : m_("esrgan_slim", 13, options.seed) {
    image_ = m_.input("image", dtype::f32, {"N", 3, options.size, options.size});
  }

  graph build() && {
    const auto shallow = conv(image_, 3, 64, 3), first = conv(shallow, 64, 64, 3);
    const auto second = dense_block(first), third = dense_block(second);
    auto x = conv(conv(join(second, third), 128, 64, 1), 64, 64, 3);
    x = m_.node("Add", {x, shallow});
    x = m_.node("Relu", {conv(x, 64, 64, 5)});
    x = conv(m_.node("Relu", {conv(x, 64, 32, 3)}), 32, 12, 3);
    const auto scales = m_.constant(tensor::of<float>({4}, {1, 1, 2, 2}));
    x = m_.node("Resize", {x, no_value, scales},
                attrs_of({{"mode", std::string("nearest")},
                          {"coordinate_transformation_mode", std::string("asymmetric")},
                          {"nearest_mode", std::string("floor")}}));
    m_.output(conv(x, 12, 3, 3), "larger_image");
    return std::move(m_).build();
  }

 private:
  value_id conv(value_id x, std::int64_t in, std::int64_t out, std::int64_t kernel) {
    using ints = std::vector<std::int64_t>;
    const auto pad = kernel / 2;
    const auto w = m_.random({out, in, kernel, kernel}, 1 / std::sqrt(float(in * kernel * kernel)));
    return m_.node(
        "Conv", {x, w, m_.random({out}, 0.1f)},
        attrs_of({{"kernel_shape", ints{kernel, kernel}}, {"pads", ints{pad, pad, pad, pad}}}));
  }
  value_id join(value_id a, value_id b) {
    return m_.node("Concat", {a, b}, attrs_of({{"axis", std::int64_t{1}}}));
  }
  /// Four new channels, mixed with the old ones and added to them.
  value_id dense_block(value_id x) {
    const auto grown = m_.node("Relu", {conv(x, 64, 4, 3)});
    return m_.node("Add", {conv(join(x, grown), 68, 64, 1), x});
  }

  model_builder m_;
  value_id image_;
};

} // namespace

graph make_esrgan(const esrgan_options& options) {
  return esrgan_builder(options).build();
}

} // namespace shoal::test
