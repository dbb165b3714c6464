#include "runtime/tensor/image_tensor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace shoal;

namespace {

image random_image(int width, int height, int channels, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto picture = *make_image(width, height, channels);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random());
  return picture;
}

const image two_pixels{2, 1, 3, {10, 20, 30, 40, 50, 60}};

} // namespace

TEST_CASE("channels, layout, scale, mean and deviation are applied as documented") {
  image_input_options options;
  options.scale = 1;
  options.mean = {1, 2, 3};
  options.deviation = {1, 2, 4};
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<float>({1, 3, 1, 2}, {9, 39, 9, 24, 6.75f, 14.25f})));
  options.layout = image_layout::nhwc;
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<float>({1, 1, 2, 3}, {9, 9, 6.75f, 39, 24, 14.25f})));
  options.channels = image_channels::bgr;
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<float>({1, 1, 2, 3}, {29, 9, 1.75f, 59, 24, 9.25f})));
  options = {};
  options.scale = 1;
  options.channels = image_channels::luma;
  const auto luma = *image_to_tensor(two_pixels, options);
  CHECK(luma.dims() == shape{1, 1, 1, 2});
  CHECK(luma.values<float>()[0] == doctest::Approx(0.299 * 10 + 0.587 * 20 + 0.114 * 30));
  CHECK(identical(
      *image_to_tensor(two_pixels),
      tensor::of<float>({1, 3, 1, 2}, {10 * (1 / 255.0f), 40 * (1 / 255.0f), 20 * (1 / 255.0f),
                                       50 * (1 / 255.0f), 30 * (1 / 255.0f), 60 * (1 / 255.0f)})));
}

TEST_CASE("element types are converted, bytes rounded half away and cut") {
  image_input_options options;
  options.scale = 1;
  options.type = dtype::u8;
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<std::uint8_t>({1, 3, 1, 2}, {10, 40, 20, 50, 30, 60})));
  options.scale = 8.05f;
  options.mean = {100, 0, 0};
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<std::uint8_t>({1, 3, 1, 2}, {0, 222, 161, 255, 242, 255})));
  options = {};
  options.scale = 0.5f;
  options.type = dtype::f16;
  CHECK(identical(*image_to_tensor(two_pixels, options),
                  tensor::of<half>({1, 3, 1, 2}, {half(5.0f), half(20.0f), half(10.0f), half(25.0f),
                                                  half(15.0f), half(30.0f)})));
}

TEST_CASE("gray becomes three channels, alpha is dropped") {
  image_input_options options;
  options.scale = 1;
  CHECK(identical(*image_to_tensor({1, 2, 1, {7, 9}}, options),
                  tensor::of<float>({1, 3, 2, 1}, {7, 9, 7, 9, 7, 9})));
  CHECK(identical(*image_to_tensor({1, 1, 4, {7, 8, 9, 0}}, options),
                  tensor::of<float>({1, 3, 1, 1}, {7, 8, 9})));
  options.channels = image_channels::luma;
  CHECK(identical(*image_to_tensor({1, 2, 1, {7, 9}}, options),
                  tensor::of<float>({1, 1, 2, 1}, {7, 9})));
}

TEST_CASE("the shorter side is fitted and the centre cropped") {
  image_input_options options;
  options.scale = 1;
  options.resize = resize_mode::shorter_side;
  options.shorter_side = 10;
  const auto wide = random_image(31, 20, 3, 1);
  CHECK(image_to_tensor(wide, options)->dims() == shape{1, 3, 10, 15});
  const auto tall = random_image(20, 31, 3, 1);
  CHECK(image_to_tensor(tall, options)->dims() == shape{1, 3, 15, 10});
  options.crop_width = 8;
  options.crop_height = 7;
  const auto cropped = *image_to_tensor(wide, options);
  REQUIRE(cropped.dims() == shape{1, 3, 7, 8});
  const auto resized = *resize_image(wide, 15, 10, options.filter);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 7; ++y)
      for (int x = 0; x < 8; ++x)
        REQUIRE(cropped.values<float>()[static_cast<std::size_t>((c * 7 + y) * 8 + x)] ==
                resized.values<float>()[static_cast<std::size_t>(((y + 1) * 15 + x + 3) * 3 + c)]);
  options.resize = resize_mode::stretch;
  options.resize_width = 9;
  options.resize_height = 7;
  CHECK(image_to_tensor(wide, options)->dims() == shape{1, 3, 7, 8});
}

TEST_CASE("options that contradict themselves or the picture are refused") {
  const auto refused = [](auto change) {
    image_input_options options;
    change(options);
    const auto made = image_to_tensor(two_pixels, options);
    return !made && made.error().code() == errc::invalid_argument;
  };
  CHECK(refused([](auto& o) { o.crop_width = 3; }));
  CHECK(refused([](auto& o) { o.crop_height = -1; }));
  CHECK(refused([](auto& o) { o.resize = resize_mode::stretch; }));
  CHECK(refused([](auto& o) { o.resize = resize_mode::shorter_side; }));
  CHECK(refused([](auto& o) {
    o.resize = resize_mode::shorter_side;
    o.shorter_side = std::numeric_limits<int>::max();
  }));
  CHECK(refused([](auto& o) { o.type = dtype::i32; }));
  CHECK(refused([](auto& o) { o.deviation[1] = 0; }));
  CHECK(refused([](auto& o) { o.scale = std::numeric_limits<float>::quiet_NaN(); }));
  CHECK_FALSE(image_to_tensor({2, 2, 3, {1}}));
}

TEST_CASE("an image survives the way to a tensor and back") {
  for (const auto layout : {image_layout::nchw, image_layout::nhwc})
    for (const auto channels : {image_channels::rgb, image_channels::bgr})
      for (const auto type : {dtype::f32, dtype::f16, dtype::u8})
        for (const float white : {1.0f, 255.0f}) {
          if (type == dtype::u8 && white == 1.0f) continue;
          const auto picture = random_image(17, 9, 3, 8);
          image_input_options in;
          in.layout = layout;
          in.channels = channels;
          in.type = type;
          in.scale = white / 255;
          const image_output_options out{layout, channels == image_channels::bgr, white};
          CHECK(*tensor_to_image(*image_to_tensor(picture, in), out) == picture);
        }
}

TEST_CASE("values beyond the range are cut, halves rounded up, NaN is black") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto values =
      tensor::of<float>({1, 2, 4}, {-1, 0.5f, 1.5f, 254.49f, 254.5f, 256, nan, infinity});
  image_output_options options;
  options.white = 255;
  CHECK(tensor_to_image(values, options)->pixels ==
        std::vector<std::uint8_t>{0, 1, 2, 254, 255, 255, 0, 255});
  const auto rgba = tensor::of<float>({1, 1, 1, 4}, {0, 0.5f, 1, 0.2f});
  options = {image_layout::nhwc, true, 1};
  CHECK(tensor_to_image(rgba, options)->pixels == std::vector<std::uint8_t>{255, 128, 0, 51});
}

TEST_CASE("tensors that are no picture are refused") {
  const auto code = [](const tensor& t) { return tensor_to_image(t).error().code(); };
  CHECK(code(tensor::of<float>({2, 2}, {1, 2, 3, 4})) == errc::invalid_argument);
  CHECK(code(tensor::of<float>({2, 1, 1, 1}, {1, 2})) == errc::invalid_argument);
  CHECK(code(tensor::of<float>({2, 1, 1}, {1, 2})) == errc::invalid_argument);
  CHECK(code(tensor::of<float>({1, 0, 4}, {})) == errc::invalid_argument);
  CHECK(code(tensor::of<std::int32_t>({1, 1, 1}, {1})) == errc::invalid_argument);
  image_output_options options;
  options.white = 0;
  CHECK_FALSE(tensor_to_image(tensor::of<float>({1, 1, 1}, {1}), options));
}
