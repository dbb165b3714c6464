#include "runtime/base/file.hpp"
#include "runtime/image/image_source.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <jpeglib.h>
#include <png.h>

#include <array>
#include <cstdio>

using namespace shoal;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void write_interlaced_png(const std::filesystem::path& path, const image& picture) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture.width),
               static_cast<png_uint_32>(picture.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7,
               0, 0);
  png_write_info(png, info);
  std::vector<png_bytep> rows;
  for (int y = 0; y < picture.height; ++y)
    rows.push_back(const_cast<png_bytep>(picture.pixels.data()) +
                   std::ptrdiff_t{y} * picture.width * 3);
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

void write_progressive_jpeg(const std::filesystem::path& path, const image& picture) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, file);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(picture.pixels.data()) +
                   std::size_t{info.next_scanline} * info.image_width * 3;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::fclose(file);
}

/// Reads row bands with a halo of `halo` rows on either side, each in three odd windows, and
/// compares.
void check_bands(image_source& source, const image& expected, int band, int halo) {
  for (int y = 0; y < expected.height; y += band) {
    const int top = std::max(0, y - halo);
    const int bottom = std::min(expected.height, y + band + halo);
    source.forget_before(top);
    const int third = std::max(1, expected.width / 3);
    for (int x = 0; x < expected.width; x += third) {
      const image_window window{x, top, std::min(third, expected.width - x), bottom - top};
      const auto part = source.read(window);
      REQUIRE(part);
      CHECK(*part == test::part_of(expected, window));
    }
  }
}

} // namespace

TEST_CASE("row bands of PNG and JPEG are those of the picture decoded whole") {
  const std::uint64_t seed = 81;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  test::temporary_folder folder;
  for (const char* name : {"a.png", "a.jpg"})
    for (const int channels : {1, 3, 4})
      for (int round = 0; round < 6; ++round) {
        if (channels == 4 && name == std::string_view("a.jpg")) continue;
        const auto path = folder.path() / name;
        const auto picture =
            test::random_picture(static_cast<int>(1 + random() % 90),
                                 static_cast<int>(1 + random() % 90), channels, random);
        REQUIRE(write_image(path, picture));
        const auto expected = *read_image(path);
        const auto source = open_image_source(path);
        REQUIRE(source);
        CHECK_FALSE((*source)->random_access());
        CHECK((*source)->extent() == image_extent{picture.width, picture.height, channels});
        check_bands(**source, expected, static_cast<int>(1 + random() % 30),
                    static_cast<int>(random() % 5));
      }
}

TEST_CASE("interlaced PNG and progressive JPEG are read by windows, too") {
  test::temporary_folder folder;
  const auto picture = test::smooth_picture(67, 45, 3);
  write_interlaced_png(folder.path() / "a.png", picture);
  write_progressive_jpeg(folder.path() / "a.jpg", picture);
  for (const char* name : {"a.png", "a.jpg"}) {
    const auto path = folder.path() / name;
    CAPTURE(path);
    const auto source = open_image_source(path);
    REQUIRE(source);
    check_bands(**source, *read_image(path), 7, 2);
  }
}

TEST_CASE("what has to be held whole is refused when it exceeds the limit") {
  test::temporary_folder folder;
  const auto picture = test::smooth_picture(600, 500, 3);
  write_interlaced_png(folder.path() / "a.png", picture);
  write_progressive_jpeg(folder.path() / "a.jpg", picture);
  const auto png = open_image_source(folder.path() / "a.png", {.max_bytes = 800'000});
  REQUIRE_FALSE(png);
  CHECK(png.error().code() == errc::resource_exhausted);
  CHECK(has(png.error().message(), "decoding a PNG of 600 x 500 pixels takes 907200 bytes "
                                   "(interlaced: all rows at once), more than the 800000 allowed"));
  const auto jpeg = open_image_source(folder.path() / "a.jpg", {.max_bytes = 800'000});
  REQUIRE_FALSE(jpeg);
  CHECK(jpeg.error().code() == errc::resource_exhausted);
  CHECK(has(jpeg.error().message(), "decoding a JPEG of 600 x 500 pixels takes"));
  CHECK(has(jpeg.error().message(), "(progressive: all of it at once), more than the 800000"));
  // Without interlacing the same limit is plenty.
  REQUIRE(write_image(folder.path() / "b.png", picture));
  const auto plain = open_image_source(folder.path() / "b.png", {.max_bytes = 800'000});
  REQUIRE(plain);
  check_bands(**plain, picture, 50, 10);
}

TEST_CASE("rows that were dropped cannot be read again") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.png";
  std::mt19937_64 random(82);
  const auto picture = test::random_picture(20, 30, 3, random);
  REQUIRE(write_image(path, picture));
  const auto source = *open_image_source(path);
  CHECK(source->read({0, 5, 20, 10}));
  CHECK(source->read({3, 0, 4, 2})); // nothing was dropped yet
  source->forget_before(4);
  source->forget_before(2); // what is dropped stays dropped
  CHECK(source->read({0, 4, 20, 1}));
  const auto gone = source->read({1, 3, 5, 4});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == errc::invalid_argument);
  CHECK(gone.error().message() ==
        "row 3 of a PNG was dropped: expected rows from 4 on, got 5 x 4 pixels at (1, 3)");
  source->forget_before(25); // rows that were never decoded
  const image_window last{2, 26, 9, 4};
  CHECK(*source->read(last) == test::part_of(picture, last));
  source->forget_before(99);
  CHECK_FALSE(source->read({0, 29, 1, 1}));
}

TEST_CASE("a band that exceeds the limit is refused, and reading goes on") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.png";
  std::mt19937_64 random(83);
  const auto picture = test::random_picture(100, 90, 3, random);
  REQUIRE(write_image(path, picture));
  const auto source = *open_image_source(path, {.max_bytes = 10'000});
  const auto large = source->read({0, 0, 10, 60});
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == errc::resource_exhausted);
  CHECK(large.error().message() == "rows 0 to 59 of a PNG of 100 x 90 pixels take 19200 bytes, "
                                   "more than the 10000 allowed");
  check_bands(*source, picture, 20, 3);
}

TEST_CASE("windows outside of the picture are refused") {
  const auto source = *make_memory_source(*make_image(10, 8, 3));
  for (const image_window window : {image_window{-1, 0, 2, 2},
                                    {0, -1, 2, 2},
                                    {0, 0, 11, 1},
                                    {0, 0, 1, 9},
                                    {9, 0, 2, 1},
                                    {0, 0, 0, 1},
                                    {0, 0, 1, -1},
                                    {0x7fffffff, 0, 0x7fffffff, 1}}) {
    const auto part = source->read(window);
    REQUIRE_FALSE(part);
    CHECK(part.error().code() == errc::invalid_argument);
    CHECK(part.error().message() ==
          fmt::format("expected a window inside 10 x 8 pixels, got {}", to_string(window)));
  }
}

TEST_CASE("a picture in memory is read by windows") {
  std::mt19937_64 random(84);
  const auto picture = test::random_picture(23, 17, 4, random);
  const auto source = *make_memory_source(picture);
  CHECK(source->random_access());
  for (int round = 0; round < 20; ++round) {
    const auto window = test::random_window(23, 17, random);
    CHECK(*source->read(window) == test::part_of(picture, window));
  }
  CHECK(make_memory_source({}).error().code() == errc::invalid_argument);
}

TEST_CASE("PNG and JPEG cut anywhere are errors when read by windows") {
  test::temporary_folder folder;
  const auto cut = folder.path() / "cut";
  const auto picture = test::smooth_picture(30, 20, 3);
  for (const auto& whole : {*encode_png(picture), *encode_jpeg(picture)})
    for (std::size_t size = 0; size < whole.size(); ++size) {
      REQUIRE(replace_file(cut, std::array{byte_span(whole).first(size)}));
      const auto source = open_image_source(cut);
      const auto read = source ? (*source)->read({0, 0, 30, 20}) : source.error();
      if (read || read.error().code() != errc::malformed)
        FAIL("cut to " << size << " of " << whole.size() << " bytes: no error, or the wrong one");
      // The decoder is not asked again after its error.
      if (source) CHECK((*source)->read({0, 0, 30, 20}).error() == read.error());
    }
}

TEST_CASE("a file that is no picture is refused by its content") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.png";
  REQUIRE(replace_file(path, std::array{bytes_of("GIF89a and more")}));
  const auto opened = open_image_source(path);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code() == errc::malformed);
  CHECK(has(opened.error().message(),
            "neither a TIFF nor a PNG nor a JPEG: 15 bytes that start otherwise"));
  CHECK(open_image_source(folder.path() / "none").error().code() == errc::not_found);
}
