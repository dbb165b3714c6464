#include "runtime/base/file.hpp"
#include "runtime/image/image_sink.hpp"
#include "runtime/image/image_source.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

using namespace shoal;
using namespace shoal::test;

// Pictures in tiles from the command line.

namespace {

const std::string upscale = source_file("apps/builtin/upscale_x2.onnx");
const std::string photo = source_file("apps/builtin/photo.png");

image read_whole(const std::filesystem::path& file) {
  auto source = open_image_source(file);
  REQUIRE_MESSAGE(source, (source ? std::string() : source.error().message()));
  auto picture = (*source)->read({0, 0, (*source)->width(), (*source)->height()});
  REQUIRE_MESSAGE(picture, (picture ? std::string() : picture.error().message()));
  return *std::move(picture);
}

/// Runs `shoal infer` on the photograph with more words; what it wrote to `file`.
image upscaled(const temporary_folder& folder, const std::string& file,
               std::vector<std::string> more) {
  const std::string output = folder.path() / file;
  std::vector<std::string> words{"infer",    "--model", upscale,     "--input", photo,
                                 "--output", output,    "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  const auto ran = run_shoal(words);
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.empty());
  CHECK(!std::filesystem::exists(output + ".progress"));
  return read_whole(output);
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE(
    "a picture in tiles comes out as in one, as PNG and as TIFF, in one process and in more") {
  const temporary_folder folder;
  const auto whole = upscaled(folder, "whole.png", {"--tiles", "1x1"});
  CHECK(upscaled(folder, "grid.png", {"--tiles", "3x2"}) == whole);
  CHECK(upscaled(folder, "pixels.tif", {"--tiles", "70x101px"}) == whole);
  CHECK(upscaled(folder, "auto.tiff", {"--tiles", "auto", "--local-nodes", "2"}) == whole);
}

TEST_CASE("a tensor in tiles comes out as in one, bit for bit") {
  const temporary_folder folder;
  const std::string image = folder.path() / "image.npy";
  REQUIRE(write_npy(image, random_numbers(3).tensor_of({1, 3, 90, 71}, 1)));
  const auto run = [&](const std::string& tiles) {
    const std::string output = folder.path() / (tiles + ".npy");
    const auto ran = run_shoal({"infer", "--model", upscale, "--input", image, "--output", output,
                                "--tiles", tiles, "--trace"});
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    CHECK(ran.err.find(" tiles in ") != std::string::npos);
    const auto bytes = read_file(output, 1 << 28);
    REQUIRE(bytes);
    return *bytes;
  };
  const auto whole = run("1x1");
  CHECK((run("4x3") == whole));
  CHECK((run("33x40px") == whole));
}

TEST_CASE("a TIFF that was begun is gone on with, one of another kind is begun anew") {
  const temporary_folder folder;
  const auto whole = upscaled(folder, "whole.tif", {"--tiles", "4x4"});
  const std::string output = folder.path() / "begun.tif";
  const std::vector<std::string> words{"infer", "--model", upscale, "--input",   photo, "--output",
                                       output,  "--tiles", "4x4",   "--threads", "1",   "--trace"};
  {
    // The file may not grow beyond its first half: what comes later fails.
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    auto limit = before;
    limit.rlim_cur = whole.pixels.size() / 2;
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto ran = run_shoal(words);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(ran.exit_code != 0);
  }
  const auto ran = run_shoal(words);
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(read_whole(output) == whole);
}

TEST_CASE("the plan of tiles tells their number, halo, arithmetic, memory and guarantee") {
  const auto ran = run_shoal(
      {"plan", "--model", upscale, "--shape", "1x3x400x600", "--tiles", "2x3", "--threads", "1"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.starts_with("image 400x600, 6 tiles in 2 rows and 3 columns, each of "));
  for (const char* word : {"halo ", "arithmetic +", "activations ", " a tile, ", "guarantee: "})
    CHECK(ran.out.find(word) != std::string::npos);
}

TEST_CASE("what cannot go through in tiles is refused with the reason") {
  const temporary_folder folder;
  const std::string image = folder.path() / "image.npy", tiny = folder.path() / "out.npy";
  REQUIRE(write_npy(image, random_numbers(3).tensor_of({1, 3, 40, 40}, 1)));
  const auto error_of = [](const std::vector<std::string>& words) {
    const auto ran = run_shoal(words);
    CHECK(ran.exit_code != 0);
    return ran.err;
  };
  CHECK(error_of({"infer", "--model", upscale, "--input", image, "--tiles", "many"})
            .find("--tiles: expected auto, ROWSxCOLUMNS as in 4x6, or HEIGHTxWIDTHpx as in "
                  "512x512px, got 'many'") != std::string::npos);
  CHECK(error_of({"infer", "--model", upscale, "--input", image, "--tiles", "2x2px"})
            .find("too small") != std::string::npos);
  CHECK(error_of({"infer", "--model", upscale, "--input", image, "--tiles", "2x2", "--parts", "2"})
            .find("goes with neither --parts nor --repeat") != std::string::npos);
  CHECK(error_of({"plan", "--model", upscale, "--tiles", "2x2"})
            .find("expected the image, or its extents by --shape") != std::string::npos);
}

TEST_SUITE_END();
