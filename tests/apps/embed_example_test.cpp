#include "runtime/graph/onnx_import.hpp"
#include "runtime/operators/weight_cache.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session.hpp"
#include "runtime/tensor/image.hpp"
#include "runtime/tensor/image_tensor.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace shoal;
using namespace shoal::test;

TEST_SUITE_BEGIN("apps");

TEST_CASE("the embedding example gives the output of a session, in fewer than sixty lines") {
  std::ifstream source(source_file("apps/embed/embed_example.cpp"));
  REQUIRE(source);
  int lines = 0;
  for (std::string line; std::getline(source, line);) ++lines;
  CHECK(lines > 0);
  CHECK(lines < 60);

  const auto model = source_file("apps/builtin/upscale_x2.onnx");
  const auto photo = read_image(source_file("apps/builtin/photo.png"));
  REQUIRE(photo);
  const auto input = image_to_tensor(*photo);
  REQUIRE(input);
  const temporary_folder folder;
  const std::string in = folder.path() / "in.npy", out = folder.path() / "out.npy";
  REQUIRE(write_npy(in, *input));
  const auto ran = run_command(SHOAL_EMBED_EXAMPLE, {model, in, out});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto produced = read_npy(out);
  REQUIRE(produced);

  const auto imported = import_onnx_file(model);
  REQUIRE(imported);
  const auto rewritten = rewrite_for_cpu(imported->model);
  REQUIRE(rewritten);
  const std::vector<operand> operands{{input->type(), nullptr, true}};
  const auto compiled = session::compile(*rewritten, operands, std::make_shared<weight_cache>());
  REQUIRE(compiled);
  workspace arena;
  const auto expected = (*compiled)->run({&*input, 1}, arena);
  REQUIRE(expected);
  CHECK(mismatch(*produced, expected->front()) <= 1); // algorithms are chosen by measuring
}

TEST_SUITE_END();
