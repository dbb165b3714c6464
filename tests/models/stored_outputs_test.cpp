#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/tensor/image_tensor.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_folder.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/stages.hpp"

#include <doctest/doctest.h>

#include <algorithm>

// Real models against the outputs that ONNX Runtime gave for them.

using namespace shoal;
using namespace shoal::test;

namespace {

void check_close(const stored_run& run, const result<std::vector<tensor>>& got, double relative,
                 double absolute) {
  CAPTURE(run.name);
  REQUIRE_MESSAGE(got, (got ? std::string() : got.error().message()));
  REQUIRE(got->size() == run.outputs.size());
  for (std::size_t o = 0; o < got->size(); ++o) {
    CAPTURE(o);
    CHECK(mismatch((*got)[o], run.outputs[o], relative, absolute) <= 1);
  }
}

void check_model(const std::string& name, double relative = 1e-3, double absolute = 1e-4) {
  const auto stored = read_shared_model(name);
  if (stored.model == nullptr) {
    MESSAGE("skipped: shared/models/" << name << " is not there");
    return;
  }
  REQUIRE(!stored.runs.empty());
  const auto rewritten = rewrite_for_cpu(stored.model);
  REQUIRE_MESSAGE(rewritten, (rewritten ? std::string() : rewritten.error().message()));
  for (const auto& run : stored.runs) {
    check_close(run, run_whole(stored.model, run.inputs), relative, absolute);
    check_close(run, run_whole(*rewritten, run.inputs), relative, absolute);
    check_close(run, run_whole(*rewritten, run.inputs, 2), relative, absolute);
  }
  const auto winograd = with_winograd(**rewritten, tunable_convolutions(**rewritten));
  REQUIRE(winograd);
  for (const auto& run : stored.runs)
    check_close(run, run_whole(*winograd, run.inputs), relative, absolute);
}

} // namespace

TEST_CASE("squeezenet gives its stored outputs") {
  check_model("squeezenet");
}

TEST_CASE("squeezenet in half precision gives its stored outputs") {
  check_model("squeezenet_fp16", 1e-2, 1e-2);
}

TEST_CASE("espcn_x3 gives its stored outputs") {
  check_model("espcn_x3");
}

TEST_CASE("esrgan_slim_x2 gives its stored outputs") {
  check_model("esrgan_slim_x2");
}

TEST_CASE("ultraface_rfb320 gives its stored outputs") {
  check_model("ultraface_rfb320");
}

TEST_CASE("cifar10 gives its stored outputs") {
  check_model("cifar10");
}

TEST_CASE("magika gives its stored outputs") {
  check_model("magika");
}

TEST_CASE("basic_pitch gives its stored outputs") {
  check_model("basic_pitch");
}

TEST_CASE("the published picture of esrgan_slim_x2 is met to one step of 255") {
  const auto stored = read_shared_model("esrgan_slim_x2");
  const auto fixture = shared_file("models/esrgan_fixture.png");
  const auto published = shared_file("models/esrgan_expected_x2.png");
  if (stored.model == nullptr || !fixture || !published) {
    MESSAGE("skipped: shared/models/esrgan_* are not there");
    return;
  }
  const auto picture = read_image(*fixture), expected = read_image(*published);
  REQUIRE(picture);
  REQUIRE(expected);
  const auto input = image_to_tensor(*picture, {.scale = 1});
  REQUIRE(input);
  const auto rewritten = rewrite_for_cpu(stored.model);
  REQUIRE(rewritten);
  const auto outputs = run_whole(*rewritten, {*input}, 2);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
  const auto got = tensor_to_image((*outputs)[0], {.white = 255});
  REQUIRE(got);
  REQUIRE(got->width == expected->width);
  REQUIRE(got->height == expected->height);
  REQUIRE(expected->channels >= 3);
  int worst = 0;
  for (std::size_t pixel = 0; pixel < got->pixels.size() / 3; ++pixel)
    for (std::size_t c = 0; c < 3; ++c) {
      const auto theirs = static_cast<std::size_t>(expected->channels) * pixel + c;
      worst = std::max(worst, std::abs(got->pixels[3 * pixel + c] - expected->pixels[theirs]));
    }
  CHECK(worst <= 1);
}
