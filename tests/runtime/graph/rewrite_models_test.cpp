#include "runtime/graph/onnx_import.hpp"
#include "runtime/graph/rewrite.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/session/session.hpp"
#include "runtime/tensor/tensor_proto.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace shoal;
using namespace shoal::test;

namespace {

std::vector<tensor> outputs_of(const std::shared_ptr<const graph>& model, const tensor& input) {
  const std::vector<operand> operands{{input.type(), nullptr, true}};
  auto compiled = session::compile(model, operands, std::make_shared<weight_cache>());
  REQUIRE_MESSAGE(compiled, (compiled ? std::string() : compiled.error().message()));
  workspace arena;
  auto outputs = (*compiled)->run({&input, 1}, arena);
  REQUIRE(outputs);
  return *std::move(outputs);
}

/// After every rule, `promote_half` only if asked, with the types that `input` implies.
std::shared_ptr<const graph> fully_rewritten(const std::shared_ptr<const graph>& model,
                                             const tensor& input, bool promote_half) {
  const std::vector<operand> operands{{input.type(), nullptr, true}};
  const auto bound = bind_types(model, operands);
  REQUIRE_MESSAGE(bound, (bound ? std::string() : bound.error().message()));
  std::vector<tensor_type> types;
  for (const auto& value : (*bound)->values) types.push_back(value.type);
  rewrite_options options;
  options.promote_half = promote_half;
  options.evaluate = evaluate_node;
  options.types = types;
  auto after = rewrite(*model, options);
  REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
  return std::make_shared<const graph>(*std::move(after));
}

} // namespace

TEST_CASE("real models give the same outputs after every rewrite") {
  const auto models = shared_file("models");
  if (!models) {
    MESSAGE("skipped: no shared models");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    if (!std::filesystem::exists(entry.path() / "model.onnx")) continue;
    CAPTURE(entry.path().string());
    const auto imported = import_onnx_file(entry.path() / "model.onnx");
    REQUIRE_MESSAGE(imported, (imported ? std::string() : imported.error().message()));
    const auto input = read_tensor_proto_file(entry.path() / "test_data_set_0" / "input_0.pb");
    REQUIRE(input);
    const bool half = input->element_type() == dtype::f16;
    const auto after = fully_rewritten(imported->model, *input, half);
    const auto expected = outputs_of(imported->model, *input), got = outputs_of(after, *input);
    CHECK(after->nodes().size() <= imported->model->nodes().size());
    REQUIRE(got.size() == expected.size());
    const double tolerance = half ? 2e-2 : 1e-4;
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(mismatch(got[i], expected[i], tolerance, tolerance) <= 1);
  }
}
