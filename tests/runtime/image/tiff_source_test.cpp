#include "runtime/base/file.hpp"
#include "runtime/image/image_source.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/tiff_writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>

using namespace shoal;

namespace {

std::string message_of(const result<std::unique_ptr<image_source>>& opened) {
  return opened ? std::string("opened") : opened.error().message();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// All of it, or the error of opening or reading.
result<image> read_all(const std::filesystem::path& path, const image_source_limits& limits = {}) {
  SHOAL_TRY(const auto source, open_image_source(path, limits));
  return source->read({0, 0, source->width(), source->height()});
}

/// What this process prints to stderr while it lives.
class captured_stderr {
 public:
  explicit captured_stderr(const std::filesystem::path& file) : file_(file) {
    const int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(to, 2);
    ::close(to);
  }
  ~captured_stderr() {
    ::dup2(before_, 2);
    ::close(before_);
  }
  std::string text() const { return *read_file(file_, 1 << 20); }

 private:
  std::filesystem::path file_;
  int before_ = ::dup(2);
};

std::uint8_t divided(unsigned value, unsigned alpha) {
  if (alpha == 0 || alpha == 255) return static_cast<std::uint8_t>(value);
  return static_cast<std::uint8_t>(std::min(255u, (value * 255 + alpha / 2) / alpha));
}

} // namespace

TEST_CASE("windows of TIFFs in every layout are those of the picture") {
  const std::uint64_t seed = 71;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  for (const int channels : {1, 3, 4})
    for (const bool tiled : {false, true})
      for (const bool planar : {false, true})
        for (const int bits : {8, 16})
          for (const auto compression :
               {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS})
            for (const char* mode : {"wl", "wb8"}) {
              CAPTURE(channels);
              CAPTURE(tiled);
              CAPTURE(planar);
              CAPTURE(bits);
              CAPTURE(compression);
              CAPTURE(mode);
              const auto picture =
                  test::random_picture(static_cast<int>(1 + random() % 70),
                                       static_cast<int>(1 + random() % 70), channels, random);
              test::tiff_kind kind;
              if (tiled) kind.block_width = static_cast<int>(16 + random() % 2 * 16);
              kind.block_height = tiled ? 16 : static_cast<int>(1 + random() % 20);
              kind.planar = planar;
              kind.bits = bits;
              kind.low_bits = 0;
              kind.compression = static_cast<std::uint16_t>(compression);
              kind.photometric = channels == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
              if (channels == 4) kind.extra = {EXTRASAMPLE_UNASSALPHA};
              kind.mode = mode;
              test::write_tiff(path, kind, picture);
              const auto source = open_image_source(path);
              REQUIRE(source);
              CHECK((*source)->random_access());
              CHECK((*source)->extent() == image_extent{picture.width, picture.height, channels});
              for (int round = 0; round < 5; ++round) {
                const auto window = test::random_window(picture.width, picture.height, random);
                const auto part = (*source)->read(window);
                REQUIRE(part);
                CHECK(*part == test::part_of(picture, window));
                (*source)->forget_before(static_cast<int>(window.bottom()));
              }
            }
}

TEST_CASE("16 bits of a TIFF are rounded to 8") {
  std::mt19937_64 random(72);
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  auto picture = test::random_picture(31, 9, 1, random);
  for (auto& value : picture.pixels) value = std::clamp<std::uint8_t>(value, 1, 254);
  test::tiff_kind kind{.block_height = 4, .bits = 16, .photometric = PHOTOMETRIC_MINISBLACK};
  for (const auto& [low, difference] : {std::pair{128, 0}, {129, 1}, {-128, 0}, {-129, -1}}) {
    kind.low_bits = low;
    test::write_tiff(path, kind, picture);
    auto expected = picture;
    for (auto& value : expected.pixels) value = static_cast<std::uint8_t>(value + difference);
    CHECK(*read_all(path) == expected);
  }
}

TEST_CASE("the colours of a TIFF follow from what the file says of its samples") {
  std::mt19937_64 random(73);
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  const int width = 21, height = 13;
  const auto samples = [&](int n) {
    std::vector<std::uint8_t> values(static_cast<std::size_t>(width * height * n));
    for (auto& value : values) value = static_cast<std::uint8_t>(random());
    return values;
  };
  const auto pixel_count = static_cast<std::size_t>(width * height);
  for (const bool planar : {false, true}) {
    CAPTURE(planar);
    test::tiff_kind kind{.block_height = 5, .planar = planar};

    SUBCASE("white is zero") {
      const auto values = samples(1);
      kind.photometric = PHOTOMETRIC_MINISWHITE;
      test::write_tiff(path, kind, width, height, 1, values);
      const auto picture = *read_all(path);
      REQUIRE(picture.channels == 1);
      for (std::size_t i = 0; i < pixel_count; ++i) CHECK(picture.pixels[i] == 255 - values[i]);
    }
    SUBCASE("gray with alpha becomes four channels") {
      const auto values = samples(2);
      kind.photometric = PHOTOMETRIC_MINISBLACK;
      kind.extra = {EXTRASAMPLE_UNASSALPHA};
      test::write_tiff(path, kind, width, height, 2, values);
      const auto picture = *read_all(path);
      REQUIRE(picture.channels == 4);
      for (std::size_t i = 0; i < pixel_count; ++i) {
        for (std::size_t c = 0; c < 3; ++c) CHECK(picture.pixels[i * 4 + c] == values[i * 2]);
        CHECK(picture.pixels[i * 4 + 3] == values[i * 2 + 1]);
      }
    }
    SUBCASE("premultiplied colours are divided by alpha") {
      const auto values = samples(4);
      kind.extra = {EXTRASAMPLE_ASSOCALPHA};
      test::write_tiff(path, kind, width, height, 4, values);
      const auto picture = *read_all(path);
      REQUIRE(picture.channels == 4);
      for (std::size_t i = 0; i < values.size(); ++i)
        CHECK(picture.pixels[i] ==
              (i % 4 == 3 ? values[i] : divided(values[i], values[i / 4 * 4 + 3])));
    }
    SUBCASE("samples that are neither colour nor alpha are dropped") {
      const auto values = samples(5);
      kind.extra = {EXTRASAMPLE_UNSPECIFIED, EXTRASAMPLE_UNASSALPHA};
      test::write_tiff(path, kind, width, height, 5, values);
      const auto picture = *read_all(path);
      REQUIRE(picture.channels == 3);
      for (std::size_t i = 0; i < pixel_count; ++i)
        for (std::size_t c = 0; c < 3; ++c) CHECK(picture.pixels[i * 3 + c] == values[i * 5 + c]);
    }
  }
}

TEST_CASE("JPEG within TIFF is decoded to red, green, blue") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  const auto picture = test::smooth_picture(96, 64, 3);
  test::write_tiff(path,
                   {.block_width = 32,
                    .block_height = 32,
                    .compression = COMPRESSION_JPEG,
                    .photometric = PHOTOMETRIC_YCBCR},
                   picture);
  const auto decoded = read_all(path);
  REQUIRE(decoded);
  int worst = 0;
  for (std::size_t i = 0; i < picture.pixels.size(); ++i)
    worst = std::max(worst, std::abs(int{picture.pixels[i]} - int{decoded->pixels[i]}));
  CHECK(worst <= 30);
}

TEST_CASE("a TIFF cut anywhere is an error, and libtiff prints nothing") {
  std::mt19937_64 random(74);
  test::temporary_folder folder;
  const auto path = folder.path() / "whole.tif", cut = folder.path() / "cut.tif";
  const auto noise = test::random_picture(37, 29, 3, random);
  const captured_stderr printed(folder.path() / "stderr");
  for (const auto compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG})
    for (const bool tiled : {false, true}) {
      CAPTURE(compression);
      CAPTURE(tiled);
      test::write_tiff(path,
                       {.block_width = tiled ? 16 : 0,
                        .block_height = 16,
                        .compression = static_cast<std::uint16_t>(compression),
                        .photometric = static_cast<std::uint16_t>(
                            compression == COMPRESSION_JPEG ? PHOTOMETRIC_YCBCR : PHOTOMETRIC_RGB)},
                       noise);
      const auto whole = *read_file(path, 1 << 20);
      REQUIRE(read_all(path));
      for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 13) {
        REQUIRE(replace_file(cut, std::array{bytes_of(whole).first(size)}));
        const auto read = read_all(cut);
        if (read || read.error().code() != errc::malformed)
          FAIL("cut to " << size << " of " << whole.size()
                         << " bytes: " << (read ? "no error" : to_string(read.error())));
      }
    }
  CHECK(printed.text() == "");
}

TEST_CASE("a TIFF with flipped bytes is an image or an error, never a crash") {
  const std::uint64_t seed = 75;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  test::temporary_folder folder;
  const auto path = folder.path() / "whole.tif", flipped = folder.path() / "flipped.tif";
  const captured_stderr printed(folder.path() / "stderr");
  int decoded = 0, refused = 0;
  for (const auto compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG}) {
    test::write_tiff(path,
                     {.block_width = compression == COMPRESSION_LZW ? 0 : 16,
                      .block_height = 16,
                      .compression = static_cast<std::uint16_t>(compression)},
                     test::smooth_picture(40, 30, 3));
    const auto whole = *read_file(path, 1 << 20);
    const auto directory = whole.size() > 500 ? whole.size() - 400 : 0; // libtiff writes it last
    for (int round = 0; round < 500; ++round) {
      auto bytes = whole;
      for (auto flips = 1 + random() % 4; flips > 0; --flips) {
        const auto at = random() % 2 == 0 ? random() % bytes.size()
                                          : directory + random() % (bytes.size() - directory);
        bytes[at] = static_cast<char>(random());
      }
      REQUIRE(replace_file(flipped, std::array{bytes_of(bytes)}));
      const auto source = open_image_source(flipped, {.max_bytes = 1 << 20});
      if (!source) {
        ++refused;
        continue;
      }
      const auto& extent = (*source)->extent();
      const auto part =
          (*source)->read({0, 0, std::min(extent.width, 64), std::min(extent.height, 64)});
      ++(part ? decoded : refused);
      if (part) CHECK(check_image(*part));
    }
  }
  CHECK(decoded > 0);
  CHECK(refused > 0);
  CHECK(printed.text() == "");
}

TEST_CASE("what a TIFF has that Shoal does not read is named") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  const std::vector<std::uint8_t> values(16 * 16 * 4, 7);
  const auto refusal = [&](const test::tiff_kind& kind, int samples, auto... fields) {
    test::write_tiff(path, kind, 16, 16, samples, values);
    TIFF* file = TIFFOpen(path.c_str(), "r+");
    (TIFFSetField(file, fields.first, fields.second), ...);
    TIFFRewriteDirectory(file);
    TIFFClose(file);
    const auto opened = open_image_source(path);
    if (opened) return std::string("opened");
    CHECK(opened.error().code() == errc::unsupported);
    return message_of(opened);
  };
  const test::tiff_kind gray{.block_height = 16, .photometric = PHOTOMETRIC_MINISBLACK};
  const test::tiff_kind cmyk{.block_height = 16, .photometric = PHOTOMETRIC_SEPARATED};
  CHECK(has(refusal(gray, 1, std::pair{TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT}),
            "TIFF of 8 bits per sample (not unsigned): expected unsigned 8 or 16"));
  CHECK(has(refusal(gray, 1, std::pair{TIFFTAG_BITSPERSAMPLE, 4}),
            "TIFF of 4 bits per sample: expected unsigned 8 or 16"));
  CHECK(has(refusal(gray, 1, std::pair{TIFFTAG_BITSPERSAMPLE, 32},
                    std::pair{TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP}),
            "TIFF of 32 bits per sample (float)"));
  CHECK(has(refusal(gray, 1, std::pair{TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB}),
            "TIFF of 1 samples per pixel: expected 3 to 64"));
  CHECK(has(refusal(cmyk, 4), "TIFF of photometric interpretation 5"));
  CHECK(has(refusal(gray, 1, std::pair{TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4}),
            "TIFF with compression 4 (CCITT Group 4): expected none, LZW"));
}

TEST_CASE("a TIFF with a palette is refused") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  test::write_tiff(path, {.block_height = 4, .photometric = PHOTOMETRIC_MINISBLACK}, 4, 4, 1,
                   std::vector<std::uint8_t>(16));
  TIFF* file = TIFFOpen(path.c_str(), "r+");
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE);
  std::vector<std::uint16_t> colours(256);
  TIFFSetField(file, TIFFTAG_COLORMAP, colours.data(), colours.data(), colours.data());
  TIFFRewriteDirectory(file);
  TIFFClose(file);
  const auto opened = open_image_source(path);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == errc::unsupported);
  CHECK(has(opened.error().message(), "TIFF with a palette: expected gray or red, green, blue"));
}

TEST_CASE("a TIFF block larger than the limit is refused, rows of an uncompressed strip are not") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  std::mt19937_64 random(76);
  const auto picture = test::random_picture(300, 200, 3, random);
  const image_source_limits small{.max_bytes = 50'000};

  test::write_tiff(path, {.block_height = 200}, picture);
  const auto plain = read_all(path, small);
  REQUIRE(plain);
  CHECK(*plain == picture);

  test::write_tiff(path, {.block_height = 200, .compression = COMPRESSION_LZW}, picture);
  const auto refused = read_all(path, small);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::resource_exhausted);
  CHECK(has(refused.error().message(), "decoding a strip of 300 x 200 pixels takes 360000 bytes, "
                                       "more than the 50000 allowed"));
  CHECK(read_all(path, {.max_bytes = 360'000}));

  // The limit is kept although the blocks together are larger.
  test::write_tiff(path, {.block_width = 32, .block_height = 32, .compression = COMPRESSION_LZW},
                   picture);
  const auto tiles = read_all(path, small);
  REQUIRE(tiles);
  CHECK(*tiles == picture);
}

TEST_CASE("a TIFF that claims to be huge costs no memory") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  test::write_tiff(path, {.block_height = 4, .photometric = PHOTOMETRIC_MINISBLACK}, 4, 4, 1,
                   std::vector<std::uint8_t>(16));
  TIFF* file = TIFFOpen(path.c_str(), "r+");
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, 2'000'000'000);
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, 2'000'000'000);
  TIFFRewriteDirectory(file);
  TIFFClose(file);
  const auto source = open_image_source(path);
  if (!source) {
    CHECK(source.error().code() == errc::malformed);
    return;
  }
  const auto part = (*source)->read({0, 1'000'000'000, 10, 1});
  REQUIRE_FALSE(part);
  CHECK(part.error().code() == errc::malformed);
}
