#include "runtime/graph/onnx_import.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "tests/models/cut.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_folder.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

void check_shared(const std::string& name) {
  const auto stored = read_shared_model(name);
  if (stored.model == nullptr) {
    MESSAGE("skipped: shared/models/" << name << " is not there");
    return;
  }
  const auto model = rewrite_for_cpu(stored.model);
  REQUIRE_MESSAGE(model, (model ? std::string() : model.error().message()));
  REQUIRE(!stored.runs.empty());
  check_cuts(*model, stored.runs.back().inputs, 4);
}

} // namespace

TEST_CASE("squeezenet in stages is squeezenet") {
  check_shared("squeezenet");
}

TEST_CASE("squeezenet_fp16 in stages is squeezenet_fp16") {
  check_shared("squeezenet_fp16");
}

TEST_CASE("espcn_x3 in stages is espcn_x3") {
  check_shared("espcn_x3");
}

TEST_CASE("esrgan_slim_x2 in stages is esrgan_slim_x2") {
  check_shared("esrgan_slim_x2");
}

TEST_CASE("ultraface_rfb320 in stages is ultraface_rfb320") {
  check_shared("ultraface_rfb320");
}

TEST_CASE("cifar10 in stages is cifar10") {
  check_shared("cifar10");
}

TEST_CASE("magika in stages is magika") {
  check_shared("magika");
}

TEST_CASE("basic_pitch in stages is basic_pitch") {
  check_shared("basic_pitch");
}

TEST_CASE("the built-in model in stages is the built-in model") {
  const auto imported = import_onnx_file(source_file("apps/builtin/upscale_x2.onnx"));
  REQUIRE_MESSAGE(imported, (imported ? std::string() : imported.error().message()));
  const auto model = rewrite_for_cpu(imported->model);
  REQUIRE(model);
  check_cuts(*model, {random_tensor({dtype::f32, {1, 3, 37, 50}}, 7, 0, 1)}, 8);
}
