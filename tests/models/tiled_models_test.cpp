#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/tensor/image_tensor.hpp"
#include "runtime/tile/steady_kernels.hpp"
#include "runtime/tile/tile_ends.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_folder.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/stages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

// Real models in tiles.

using namespace shoal;
using namespace shoal::test;

namespace {

const std::vector<tile_choice> odd_tilings{
    tile_grid{2, 3},       tile_grid{7, 1},      tile_grid{1, 5},     tile_grid{4, 4},
    tile_extents{33, 129}, tile_extents{40, 37}, tile_extents{64, 48}};

tensor run_tiles(const std::shared_ptr<const graph>& steady, const tile_plan& plan,
                 const tensor& image) {
  tensor_source from(image, plan.axes());
  auto to = tensor_sink::create(plan);
  REQUIRE(to);
  for (const auto& rows : plan.rows())
    for (const auto& columns : plan.columns()) {
      const auto crop = from.read(rows.image, columns.image);
      REQUIRE(crop);
      const auto outputs = run_whole(steady, {*crop});
      REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
      REQUIRE(to->write(0, rows.gives[0], columns.gives[0], (*outputs)[0]));
    }
  return to->outputs()[0];
}

std::shared_ptr<const graph> steady_form(const std::shared_ptr<const graph>& model) {
  auto rewritten = rewrite_for_cpu(model);
  REQUIRE(rewritten);
  auto steady = with_steady_kernels(*std::move(rewritten));
  REQUIRE(steady);
  return *std::move(steady);
}

void check_tilings(const onnx_folder& stored) {
  const auto steady = steady_form(stored.model);
  for (const auto& run : stored.runs) {
    const auto& image = run.inputs[0];
    const auto whole = run_whole(steady, run.inputs, 2);
    REQUIRE(whole);
    CHECK(mismatch((*whole)[0], run.outputs[0], 1e-3, 1e-4) <= 1);
    for (std::size_t t = 0; t < odd_tilings.size(); ++t) {
      CAPTURE(t);
      const auto type = image.type();
      const auto plan = tile_plan::make(stored.model, {&type, 1}, odd_tilings[t]);
      REQUIRE_MESSAGE(plan, (plan ? std::string() : plan.error().message()));
      const auto got = run_tiles(steady, *plan, image);
      if (plan->inexact().empty()) CHECK(identical(got, (*whole)[0]));
      CHECK(mismatch(got, run.outputs[0], 1e-3, 1e-4) <= 1);
    }
  }
}

} // namespace

TEST_CASE("super-resolution in odd tilings is bit for bit that of the whole image") {
  for (const std::string name : {"espcn_x3", "esrgan_slim_x2"}) {
    CAPTURE(name);
    const auto stored = read_shared_model(name);
    if (stored.model == nullptr) {
      MESSAGE("skipped: shared/models/" << name << " is not there");
      continue;
    }
    REQUIRE(!stored.runs.empty());
    check_tilings(stored);
  }
}

TEST_CASE(
    "super-resolution, whole and in odd tilings, is what another engine made of the picture") {
  const auto stored = read_shared_model("esrgan_slim_x2");
  const auto before = shared_file("models/esrgan_fixture.png");
  const auto after = shared_file("models/esrgan_expected_x2.png");
  if (stored.model == nullptr || !before || !after) {
    MESSAGE("skipped: shared/models/esrgan_slim_x2 and its pictures are not there");
    return;
  }
  const auto small = read_image(*before), large = read_image(*after);
  REQUIRE(small);
  REQUIRE(large);
  image_input_options bytes;
  bytes.scale = 1;
  const auto image = image_to_tensor(*small, bytes);
  REQUIRE(image);
  const auto steady = steady_form(stored.model);
  auto tilings = odd_tilings;
  tilings.push_back(tile_grid{1, 1});
  for (std::size_t t = 0; t < tilings.size(); ++t) {
    CAPTURE(t);
    const auto type = image->type();
    const auto plan = tile_plan::make(stored.model, {&type, 1}, tilings[t]);
    REQUIRE_MESSAGE(plan, (plan ? std::string() : plan.error().message()));
    image_output_options white;
    white.white = 255;
    const auto got = tensor_to_image(run_tiles(steady, *plan, *image), white);
    REQUIRE(got);
    REQUIRE(got->width == large->width);
    REQUIRE(got->height == large->height);
    int apart = 0;
    const auto pixels =
        static_cast<std::size_t>(got->width) * static_cast<std::size_t>(got->height);
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t c = 0; c < 3; ++c) {
        const int a = got->pixels[p * 3 + c];
        const int b = large->pixels[p * static_cast<std::size_t>(large->channels) + c];
        apart = std::max(apart, std::abs(a - b));
      }
    CHECK(apart <= 1);
  }
}
