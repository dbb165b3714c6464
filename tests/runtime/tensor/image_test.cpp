#include "runtime/base/file.hpp"
#include "runtime/tensor/image.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <random>

using namespace shoal;

namespace {

image random_image(int width, int height, int channels, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto picture = *make_image(width, height, channels);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random());
  return picture;
}

/// Smooth, as photographs are: JPEG keeps it nearly as it is.
image smooth_image(int width, int height, int channels) {
  auto picture = *make_image(width, height, channels);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        picture.pixels[static_cast<std::size_t>((y * width + x) * channels + c)] =
            static_cast<std::uint8_t>(128 + 100 * std::sin(0.1 * x + c) * std::cos(0.07 * y - c));
  return picture;
}

struct png_kind {
  int colour_type;
  int depth;
  bool interlaced;
  bool transparent;
};

int samples_per_pixel(int colour_type) {
  switch (colour_type) {
  case PNG_COLOR_TYPE_RGB:
    return 3;
  case PNG_COLOR_TYPE_RGB_ALPHA:
    return 4;
  case PNG_COLOR_TYPE_GRAY_ALPHA:
    return 2;
  default:
    return 1;
  }
}

constexpr std::array<png_color, 4> palette{{{10, 20, 30}, {40, 50, 60}, {70, 80, 90}, {0, 255, 1}}};
constexpr std::array<std::uint8_t, 2> palette_alpha{7, 99};

/// A PNG of the given kind from one number per sample, by libpng's own writer.
std::string write_png(const png_kind& kind, int width, int height,
                      const std::vector<std::uint16_t>& samples) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, std::size_t size) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               kind.depth, kind.colour_type, kind.interlaced ? PNG_INTERLACE_ADAM7 : 0, 0, 0);
  if (kind.colour_type == PNG_COLOR_TYPE_PALETTE)
    png_set_PLTE(png, info, palette.data(), 1 << std::min(kind.depth, 2));
  png_color_16 key{0, samples[0], samples[samples.size() > 1 ? 1 : 0],
                   samples[samples.size() > 2 ? 2 : 0], samples[0]};
  if (kind.transparent) png_set_tRNS(png, info, palette_alpha.data(), 2, &key);
  png_write_info(png, info);
  const int per_row = width * samples_per_pixel(kind.colour_type);
  std::vector<std::vector<std::uint8_t>> rows;
  for (int y = 0; y < height; ++y) {
    auto& row = rows.emplace_back(static_cast<std::size_t>((per_row * kind.depth + 7) / 8));
    for (int i = 0; i < per_row; ++i) {
      const auto sample = samples[static_cast<std::size_t>(y * per_row + i)];
      const auto at = static_cast<std::size_t>(i * kind.depth / 8);
      if (kind.depth == 16) {
        row[at] = static_cast<std::uint8_t>(sample >> 8);
        row[at + 1] = static_cast<std::uint8_t>(sample);
      } else {
        const int shift = 8 - kind.depth - i * kind.depth % 8;
        row[at] = static_cast<std::uint8_t>(row[at] | sample << shift);
      }
    }
  }
  std::vector<png_bytep> pointers;
  for (auto& row : rows) pointers.push_back(row.data());
  png_set_interlace_handling(png);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::uint8_t to_8_bits(std::uint16_t sample, int depth) {
  const int top = (1 << depth) - 1;
  return static_cast<std::uint8_t>((sample * 255 + top / 2) / top);
}

/// What the decoder should make of the samples.
image expected_image(const png_kind& kind, int width, int height,
                     const std::vector<std::uint16_t>& samples) {
  const auto n = static_cast<std::size_t>(samples_per_pixel(kind.colour_type));
  const bool alpha = kind.transparent || (kind.colour_type & PNG_COLOR_MASK_ALPHA) != 0;
  const int channels = alpha ? 4 : kind.colour_type == PNG_COLOR_TYPE_GRAY ? 1 : 3;
  auto picture = *make_image(width, height, channels);
  auto* out = picture.pixels.data();
  for (std::size_t at = 0; at < samples.size(); at += n) {
    const auto* s = &samples[at];
    const auto eight = [&](std::size_t i) { return to_8_bits(s[i], kind.depth); };
    std::array<std::uint8_t, 4> pixel{eight(0), eight(0), eight(0), 255};
    if (kind.colour_type == PNG_COLOR_TYPE_PALETTE) {
      pixel = {palette[s[0]].red, palette[s[0]].green, palette[s[0]].blue, 255};
      if (s[0] < 2) pixel[3] = palette_alpha[s[0]];
    } else if (n >= 3) {
      pixel = {eight(0), eight(1), eight(2), 255};
      if (n == 4) pixel[3] = eight(3);
      if (kind.transparent && std::equal(s, s + 3, samples.begin())) pixel[3] = 0;
    } else if (n == 2) {
      pixel[3] = eight(1);
    } else if (kind.transparent && s[0] == samples[0]) {
      pixel[3] = 0;
    }
    out = std::copy_n(pixel.begin(), channels, out);
  }
  return picture;
}

void check_every_cut(byte_span whole) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A block of its own size, so that a sanitizer sees the first byte read too far.
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto decoded = decode_image(cut);
    if (decoded || decoded.error().code() != errc::malformed)
      FAIL("cut to " << size << " of " << whole.size() << " bytes: no error, or the wrong one");
  }
}

} // namespace

TEST_CASE("PNGs of every colour type, depth and interlacing are decoded") {
  const std::uint64_t seed = 51;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::pair<int, std::vector<int>>> kinds{{PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}},
                                                            {PNG_COLOR_TYPE_RGB, {8, 16}},
                                                            {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}},
                                                            {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}},
                                                            {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}}};
  for (const auto& [colour_type, depths] : kinds)
    for (const int depth : depths)
      for (const bool interlaced : {false, true})
        for (const bool transparent : {false, true}) {
          if (transparent && (colour_type & PNG_COLOR_MASK_ALPHA) != 0) continue;
          const png_kind kind{colour_type, depth, interlaced, transparent};
          CAPTURE(colour_type);
          CAPTURE(depth);
          CAPTURE(interlaced);
          CAPTURE(transparent);
          const int width = static_cast<int>(1 + random() % 20);
          const int height = static_cast<int>(1 + random() % 20);
          std::vector<std::uint16_t> samples(
              static_cast<std::size_t>(width * height * samples_per_pixel(colour_type)));
          const int levels =
              colour_type == PNG_COLOR_TYPE_PALETTE ? 1 << std::min(depth, 2) : 1 << depth;
          for (auto& sample : samples)
            sample = static_cast<std::uint16_t>(random() % static_cast<unsigned>(levels));
          const auto decoded = decode_image(bytes_of(write_png(kind, width, height, samples)));
          REQUIRE(decoded);
          CHECK(*decoded == expected_image(kind, width, height, samples));
        }
}

TEST_CASE("an image survives PNG unchanged and JPEG nearly so") {
  test::temporary_folder folder;
  for (const int channels : {1, 3, 4})
    for (const auto& [width, height] : {std::pair{1, 1}, {17, 5}, {64, 64}, {3, 101}}) {
      CAPTURE(channels);
      CAPTURE(width);
      const auto noise = random_image(width, height, channels, 7);
      REQUIRE(write_image(folder.path() / "image.PNG", noise));
      CHECK(*read_image(folder.path() / "image.PNG") == noise);
      const auto smooth = smooth_image(width, height, channels);
      const auto jpeg = encode_jpeg(smooth, 95);
      if (channels == 4) {
        CHECK(jpeg.error().code() == errc::unsupported);
        continue;
      }
      const auto back = decode_image(*jpeg);
      REQUIRE(back);
      CHECK(back->width == width);
      CHECK(back->height == height);
      CHECK(back->channels == channels);
      int worst = 0;
      for (std::size_t i = 0; i < smooth.pixels.size(); ++i)
        worst = std::max(worst, std::abs(int{smooth.pixels[i]} - int{back->pixels[i]}));
      CHECK(worst <= 20);
    }
}

TEST_CASE("the format is told by content, not by name") {
  test::temporary_folder folder;
  const auto picture = random_image(4, 4, 3, 1);
  REQUIRE(replace_file(folder.path() / "a.jpg", std::array{byte_span(*encode_png(picture))}));
  CHECK(*read_image(folder.path() / "a.jpg") == picture);
  CHECK(write_image(folder.path() / "a.gif", picture).error().code() == errc::invalid_argument);
  CHECK(read_image(folder.path() / "none.png").error().code() == errc::not_found);
  CHECK(decode_image(bytes_of("GIF89a")).error().code() == errc::malformed);
}

TEST_CASE("a PNG or JPEG cut anywhere is an error") {
  check_every_cut(*encode_png(random_image(9, 7, 3, 2)));
  check_every_cut(*encode_png(smooth_image(20, 20, 4)));
  check_every_cut(bytes_of(
      write_png({PNG_COLOR_TYPE_PALETTE, 2, true, true}, 3, 3, {0, 1, 2, 3, 0, 1, 2, 3, 0})));
  check_every_cut(*encode_jpeg(random_image(9, 7, 3, 3)));
  check_every_cut(*encode_jpeg(smooth_image(20, 20, 1)));
}

TEST_CASE("a PNG or JPEG with flipped bytes is an image or an error, never a crash") {
  const std::uint64_t seed = 61;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  int decoded = 0;
  int refused = 0;
  for (const auto& whole :
       {*encode_png(smooth_image(30, 20, 3)), *encode_jpeg(smooth_image(30, 20, 3)),
        *encode_jpeg(smooth_image(30, 20, 1))})
    for (int round = 0; round < 500; ++round) {
      auto bytes = whole;
      for (auto flips = 1 + random() % 4; flips > 0; --flips)
        bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      const auto picture = decode_image(bytes, 1 << 20);
      ++(picture ? decoded : refused);
      if (picture) CHECK(check_image(*picture));
    }
  CHECK(decoded > 0);
  CHECK(refused > 0);
}

TEST_CASE("pictures that claim to be huge are refused before memory is taken") {
  auto png = *encode_png(random_image(4, 4, 3, 4));
  CHECK(decode_image(png, 15).error().code() == errc::resource_exhausted);
  CHECK(decode_image(png, 16));
  const auto jpeg = *encode_jpeg(random_image(4, 4, 3, 4));
  CHECK(decode_image(jpeg, 15).error().code() == errc::resource_exhausted);
  CHECK(decode_image(jpeg, 16));

  // 8192 x 8192 in a hundred bytes: the data cannot be there.
  const png_kind gray{PNG_COLOR_TYPE_GRAY, 8, false, false};
  auto bomb = write_png(gray, 1, 1, {0});
  const std::string header{"IHDR\0\0\x20\0\0\0\x20\0\x08\0\0\0\0", 17};
  std::uint32_t crc = 0xffffffffu;
  for (const char c : header) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  bomb.replace(12, 17, header);
  for (int i = 0; i < 4; ++i)
    bomb[static_cast<std::size_t>(29 + i)] = static_cast<char>(~crc >> (24 - 8 * i));
  const auto refused = decode_image(bytes_of(bomb));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("8192 x 8192 pixels cannot come from") != std::string::npos);
}

TEST_CASE("an image that contradicts itself is not encoded") {
  auto picture = random_image(4, 4, 3, 5);
  picture.pixels.pop_back();
  CHECK(encode_png(picture).error().code() == errc::invalid_argument);
  CHECK(encode_jpeg(picture).error().code() == errc::invalid_argument);
  CHECK(encode_png({}).error().code() == errc::invalid_argument);
  CHECK(make_image(2, 2, 2).error().code() == errc::invalid_argument);
  CHECK(make_image(0, 2, 3).error().code() == errc::invalid_argument);
  CHECK(make_image(1 << 15, 1 << 14, 1).error().code() == errc::resource_exhausted);
  CHECK(encode_jpeg(random_image(4, 4, 3, 5), 101).error().code() == errc::invalid_argument);
}

TEST_CASE("photographs are decoded and survive both formats") {
  for (const auto& [name, width, height] :
       {std::tuple{"astronaut", 512, 512}, {"chelsea", 451, 300}, {"coffee", 600, 400}}) {
    const auto path = test::shared_file(std::string("photos/") + name + ".png");
    if (!path) {
      MESSAGE("skipped: the shared photographs are not here");
      return;
    }
    CAPTURE(name);
    const auto photo = read_image(*path);
    REQUIRE(photo);
    CHECK(photo->width == width);
    CHECK(photo->height == height);
    CHECK(photo->channels == 3);
    CHECK(*decode_image(*encode_png(*photo)) == *photo);
    const auto jpeg = *decode_image(*encode_jpeg(*photo, 95));
    double squares = 0;
    for (std::size_t i = 0; i < photo->pixels.size(); ++i) {
      const double d = photo->pixels[i] - jpeg.pixels[i];
      squares += d * d;
    }
    const double psnr =
        10 * std::log10(255 * 255 / (squares / static_cast<double>(photo->pixels.size())));
    CHECK(psnr > 30);
  }
}
