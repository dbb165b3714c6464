#include "runtime/base/file.hpp"
#include "runtime/image/image_sink.hpp"
#include "runtime/image/image_source.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/tilings.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>

using namespace shoal;

namespace {

image_extent extent_of(const image& picture) {
  return {picture.width, picture.height, picture.channels};
}

image read_all(const std::filesystem::path& path) {
  const auto source = open_image_source(path);
  REQUIRE_MESSAGE(source, (source ? "" : source.error().message()));
  auto picture = (*source)->read({0, 0, (*source)->width(), (*source)->height()});
  REQUIRE(picture);
  return *std::move(picture);
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

template <class T>
std::string message_of(const result<T>& outcome, errc code) {
  if (outcome) return "no error";
  CHECK(outcome.error().code() == code);
  return outcome.error().message();
}

} // namespace

TEST_CASE("a picture written in windows is the picture") {
  const std::uint64_t seed = 91;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  test::temporary_folder folder;
  for (const char* name : {"a.tif", "a.TIFF", "a.png"})
    for (const int channels : {1, 3, 4})
      for (int round = 0; round < 12; ++round) {
        CAPTURE(name);
        CAPTURE(channels);
        CAPTURE(round);
        const auto picture =
            test::random_picture(static_cast<int>(1 + random() % 80),
                                 static_cast<int>(1 + random() % 80), channels, random);
        auto tiling = test::random_tiling(picture.width, picture.height, random);
        // A TIFF takes windows in any order.
        if (name != std::string_view("a.png")) std::shuffle(tiling.begin(), tiling.end(), random);
        const auto path = folder.path() / name;
        const auto sink = create_image_sink(path, extent_of(picture));
        REQUIRE(sink);
        CHECK((*sink)->done().empty());
        for (const auto& window : tiling)
          REQUIRE((*sink)->write(window, test::part_of(picture, window)));
        REQUIRE((*sink)->finish());
        CHECK((*sink)->finish()); // again: nothing to do
        CHECK(read_all(path) == picture);
        std::filesystem::remove(path);
        CHECK(files_in(folder.path()) == 0);
      }
}

TEST_CASE("a picture in memory is written in windows") {
  std::mt19937_64 random(92);
  const auto picture = test::random_picture(33, 21, 3, random);
  const auto sink = *memory_sink::create(extent_of(picture));
  for (const auto& window : test::random_tiling(33, 21, random))
    REQUIRE(sink->write(window, test::part_of(picture, window)));
  REQUIRE(sink->finish());
  CHECK(sink->take() == picture);
  CHECK(memory_sink::create({3, 3, 2}).error().code() == errc::invalid_argument);
}

TEST_CASE("a TIFF is whole from the beginning, black where nothing was written yet") {
  std::mt19937_64 random(93);
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  auto picture = test::random_picture(40, 30, 3, random);
  const auto sink = *create_image_sink(path, extent_of(picture));
  CHECK(read_all(path) == *make_image(40, 30, 3));
  const image_window window{5, 7, 11, 13};
  auto expected = *make_image(40, 30, 3);
  const auto part = test::part_of(picture, window);
  copy_window({part.pixels.data(), window}, {expected.pixels.data(), {0, 0, 40, 30}}, window, 3);
  REQUIRE(sink->write(window, part));
  CHECK(read_all(path) == expected);
}

TEST_CASE("libtiff finds in a written TIFF what a baseline reader wants") {
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  const image_extent extent{3000, 2000, 4}; // several strips
  const auto sink = *create_image_sink(path, extent);
  TIFF* file = TIFFOpen(path.c_str(), "r");
  REQUIRE(file != nullptr);
  std::uint16_t bits = 0, planar = 0, photometric = 0, extra = 0;
  std::uint16_t* kinds = nullptr;
  float resolution = 0;
  CHECK(TIFFGetField(file, TIFFTAG_BITSPERSAMPLE, &bits) == 1);
  CHECK(TIFFGetField(file, TIFFTAG_PLANARCONFIG, &planar) == 1);
  CHECK(TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &photometric) == 1);
  CHECK(TIFFGetField(file, TIFFTAG_XRESOLUTION, &resolution) == 1);
  CHECK(TIFFGetField(file, TIFFTAG_EXTRASAMPLES, &extra, &kinds) == 1);
  CHECK(bits == 8);
  CHECK(planar == PLANARCONFIG_CONTIG);
  CHECK(photometric == PHOTOMETRIC_RGB);
  CHECK(resolution == 1.0f);
  REQUIRE(extra == 1);
  CHECK(kinds[0] == EXTRASAMPLE_UNASSALPHA);
  const auto strips = TIFFNumberOfStrips(file);
  CHECK(strips > 1);
  std::uint64_t bytes = 0;
  for (std::uint32_t strip = 0; strip < strips; ++strip) {
    CHECK(TIFFGetStrileOffset(file, strip) == TIFFGetStrileOffset(file, 0) + bytes);
    bytes += TIFFGetStrileByteCount(file, strip);
  }
  CHECK(bytes == std::uint64_t{3000} * 2000 * 4);
  CHECK(TIFFGetStrileOffset(file, 0) + bytes == std::filesystem::file_size(path));
  TIFFClose(file);
}

TEST_CASE("a TIFF beyond 4 GiB is a BigTIFF") {
  std::mt19937_64 random(94);
  test::temporary_folder folder;
  const auto path = folder.path() / "a.tif";
  const image_extent extent{40'000, 40'000, 3};
  auto sink = create_image_sink(path, extent);
  if (!sink && sink.error().code() != errc::invalid_argument) {
    MESSAGE("skipped: files of " << 4'800'000'000u << " bytes cannot be made here");
    return;
  }
  const auto part = test::random_picture(50, 20, 3, random);
  const image_window last{40'000 - 50, 40'000 - 20, 50, 20};
  REQUIRE((*sink)->write(last, part));
  CHECK(std::filesystem::file_size(path) > 0xffffffffu);
  const auto source = open_image_source(path);
  REQUIRE(source);
  CHECK((*source)->extent() == extent);
  CHECK(*(*source)->read(last) == part);
  CHECK(*(*source)->read({0, 0, 50, 20}) == *make_image(50, 20, 3));
}

TEST_CASE("a picture that is not finished leaves nothing behind") {
  test::temporary_folder folder;
  for (const char* name : {"a.tif", "a.png"}) {
    const auto path = folder.path() / name;
    {
      const auto sink = *create_image_sink(path, {10, 10, 3});
      REQUIRE(sink->write({0, 0, 10, 4}, *make_image(10, 4, 3)));
      if (name == std::string_view("a.png")) CHECK_FALSE(std::filesystem::exists(path));
    }
    CHECK(files_in(folder.path()) == 0);
  }
}

TEST_CASE("windows that do not cover the picture once are refused") {
  test::temporary_folder folder;
  for (const char* name : {"a.tif", "a.png"}) {
    const auto sink = *create_image_sink(folder.path() / name, {10, 600, 3});
    REQUIRE(sink->write({0, 0, 10, 300}, *make_image(10, 300, 3)));
    CHECK(message_of(sink->write({9, 299, 1, 2}, *make_image(1, 2, 3)), errc::invalid_argument) ==
          "10 x 300 pixels at (0, 0) were written already: 1 x 2 pixels at (9, 299)");
    CHECK(message_of(sink->write({9, 300, 2, 2}, *make_image(2, 2, 3)), errc::invalid_argument) ==
          "expected a window inside 10 x 600 pixels, got 2 x 2 pixels at (9, 300)");
    CHECK(message_of(sink->write({0, 300, 10, 2}, *make_image(10, 2, 1)), errc::invalid_argument) ==
          "expected 10 x 2 pixels of 3 channels for a window of that size, got 10 x 2 of 1");
    CHECK(message_of(sink->write({0, 300, 10, 2}, *make_image(10, 3, 3)), errc::invalid_argument) ==
          "expected 10 x 2 pixels of 3 channels for a window of that size, got 10 x 3 of 3");
    CHECK(message_of(sink->finish(), errc::invalid_argument) ==
          "3000 pixels of a picture of 10 x 600 were not written, in 1 windows");
    REQUIRE(sink->write({0, 300, 10, 300}, *make_image(10, 300, 3)));
    CHECK(sink->finish());
  }
}

TEST_CASE("a PNG refuses windows that would wait in more memory than allowed") {
  test::temporary_folder folder;
  const auto sink =
      *create_image_sink(folder.path() / "a.png", {100, 90, 3}, {.max_band_bytes = 100 * 3 * 10});
  CHECK(
      message_of(sink->write({0, 80, 10, 10}, *make_image(10, 10, 3)), errc::resource_exhausted) ==
      "rows 0 to 89 of a PNG would wait for row 0, 27000 bytes, more than the 3000 allowed: "
      "expected windows in bands from top to bottom");
  for (int y = 0; y < 90; y += 10) {
    REQUIRE(sink->write({30, y, 70, 10}, *make_image(70, 10, 3)));
    REQUIRE(sink->write({0, y, 30, 10}, *make_image(30, 10, 3)));
  }
  CHECK(sink->finish());
}

TEST_CASE("pictures that cannot be written are refused by name") {
  test::temporary_folder folder;
  const auto create = [&](const char* name, const image_extent& extent) {
    return create_image_sink(folder.path() / name, extent);
  };
  CHECK(message_of(create("a.png", {1'000'001, 4, 1}), errc::unsupported)
            .find("a PNG of 1000001 x 4 pixels: expected at most 1000000 x 1000000; a TIFF may be "
                  "larger") != std::string::npos);
  CHECK(message_of(create("a.jpg", {4, 4, 1}), errc::invalid_argument)
            .find("expected the extension .tif, .tiff or .png") != std::string::npos);
  CHECK(message_of(create("a.tif", {4, 0, 1}), errc::invalid_argument) ==
        "a picture of 4 x 0 pixels and 1 channels: expected at least 1 x 1 and 1, 3 or 4");
  CHECK(message_of(create("a.tif", {4, 4, 2}), errc::invalid_argument) ==
        "a picture of 4 x 4 pixels and 2 channels: expected at least 1 x 1 and 1, 3 or 4");
  CHECK_FALSE(create("none/a.tif", {4, 4, 3}));
  CHECK_FALSE(create("none/a.png", {4, 4, 3}));
  CHECK(files_in(folder.path()) == 0);
}
