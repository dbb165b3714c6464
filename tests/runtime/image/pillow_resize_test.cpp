#include "runtime/base/file.hpp"
#include "runtime/image/pillow_resize.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

#include <array>
#include <sstream>

using namespace shoal;

namespace {

constexpr std::array<std::pair<std::string_view, pillow_filter>, 6> filters{
    {{"nearest", pillow_filter::nearest},
     {"box", pillow_filter::box},
     {"bilinear", pillow_filter::bilinear},
     {"hamming", pillow_filter::hamming},
     {"bicubic", pillow_filter::bicubic},
     {"lanczos", pillow_filter::lanczos}}};

/// The same as in make_pillow_goldens.py.
image golden_picture(int width, int height, int channels) {
  auto picture = *make_image(width, height, channels);
  auto value = picture.pixels.begin();
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        *value++ =
            static_cast<std::uint8_t>(x * 37 + y * 91 + c * 53 + x * y * 29 + (x * x + y) * c * 17);
  return picture;
}

std::vector<std::uint8_t> from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

} // namespace

TEST_CASE("pictures are resized byte for byte as Pillow does") {
  for (const auto release : {pillow_release::up_to_12, pillow_release::from_13}) {
    const bool newer = release == pillow_release::from_13;
    CAPTURE(newer);
    std::istringstream file(
        *read_file(test::source_file(newer ? "tests/runtime/image/pillow_13_goldens.txt"
                                           : "tests/runtime/image/pillow_12_goldens.txt"),
                   1 << 20));
    int compared = 0, differ = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with('#')) continue;
      CAPTURE(line.substr(0, 40));
      std::istringstream words(line);
      std::string name, hex;
      int channels = 0, width = 0, height = 0, to_width = 0, to_height = 0;
      words >> name >> channels >> width >> height >> to_width >> to_height >> hex;
      const auto picture = golden_picture(width, height, channels);
      for (const auto& known : filters) {
        if (known.first != name) continue;
        const auto resized = pillow_resize(picture, to_width, to_height, known.second, release);
        REQUIRE(resized);
        CHECK(*resized == image{to_width, to_height, channels, from_hex(hex)});
        ++compared;
        differ += *resized != *pillow_resize(picture, to_width, to_height, known.second);
      }
    }
    CHECK(compared == 126);
    CHECK((differ > 0) == newer);
  }
}

TEST_CASE("resizing by any filter keeps one colour, and a picture of the same size") {
  std::mt19937_64 random(111);
  for (const auto& known : filters) {
    CAPTURE(known.first);
    const auto filter = known.second;
    for (const int channels : {1, 3, 4}) {
      auto flat = *make_image(13, 9, channels);
      for (std::size_t i = 0; i < flat.pixels.size(); ++i)
        flat.pixels[i] = channels == 4 && i % 4 == 3 ? 255 : 77;
      for (const auto& [width, height] : {std::pair{5, 4}, {40, 31}, {13, 2}, {1, 1}}) {
        const auto resized = *pillow_resize(flat, width, height, filter);
        REQUIRE(resized.width == width);
        REQUIRE(resized.height == height);
        for (std::size_t i = 0; i < resized.pixels.size(); ++i)
          CHECK(resized.pixels[i] == (channels == 4 && i % 4 == 3 ? 255 : 77));
      }
      const auto noise = test::random_picture(12, 10, channels, random);
      CHECK(*pillow_resize(noise, 12, 10, filter) == noise);
    }
  }
}

TEST_CASE("sizes that no picture has are not resized to") {
  const auto picture = *make_image(4, 4, 3);
  for (const auto& [name, filter] : filters) {
    CHECK(pillow_resize(picture, 0, 4, filter).error().message() ==
          "cannot resize to 0 x 4 pixels");
    CHECK(pillow_resize(picture, 4, -1, filter).error().code() == errc::invalid_argument);
    CHECK(pillow_resize(picture, 1 << 20, 1 << 20, filter).error().code() ==
          errc::resource_exhausted);
    CHECK(pillow_resize({}, 4, 4, filter).error().code() == errc::invalid_argument);
  }
}
