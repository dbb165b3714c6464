#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "tests/support/stages.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Elements of all constants of more than 8, which leaves out scalars, axes and shapes.
std::int64_t parameters_of(const graph& model) {
  std::int64_t count = 0;
  for (const auto& value : model.values())
    if (value.is_constant() && value.constant.element_count() > 8)
      count += value.constant.element_count();
  return count;
}

void check_sane(const std::vector<tensor>& outputs) {
  for (const auto& output : outputs) {
    double squares = 0;
    for (const auto v : output.values<float>()) squares += static_cast<double>(v) * v;
    const auto deviation = std::sqrt(squares / static_cast<double>(output.element_count()));
    CHECK(deviation > 1e-3);
    CHECK(deviation < 1e2);
  }
}

} // namespace

TEST_CASE("the networks have as many parameters as those they are modelled on") {
  // What their authors' implementations count, and the two statistics of each normalised channel.
  CHECK(parameters_of(make_resnet()) == 25'557'032 + 53'120);
  CHECK(parameters_of(make_mobilenet()) == 3'504'872 + 34'112);
  CHECK(parameters_of(make_squeezenet()) == 1'235'496);
  CHECK(parameters_of(make_bert()) == 109'482'240);
}

TEST_CASE("models of the zoo pass through a file unchanged, and their answers are of sane scale") {
  const std::pair<const char*, std::vector<std::string>> models[] = {
      {"resnet50", {"size=64", "width=16"}},
      {"mobilenet_v2", {"size=64"}},
      {"squeezenet", {"size=64", "classes=10"}},
      {"esrgan_slim", {"size=32"}},
      {"bert_base", {"layers=2", "hidden=64", "heads=4", "vocabulary=99", "sequence=-1"}},
      {"random", {"seed=7"}}};
  for (const auto& [name, options] : models) {
    CAPTURE(name);
    auto made = make_model(name, options);
    REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
    const auto model = std::make_shared<const graph>(*std::move(made));
    const auto bytes = export_onnx_bytes(*model);
    REQUIRE(bytes);
    const auto imported = import_onnx_bytes(bytes_of(*bytes));
    REQUIRE_MESSAGE(imported, (imported ? std::string() : imported.error().message()));
    const auto inputs = make_inputs(*model, 1, {{"S", 9}});
    const auto outputs = run_whole(model, inputs);
    CHECK(difference(run_whole(imported->model, inputs), outputs) == "");
    check_sane(*outputs);
  }
}

TEST_CASE("a model that the zoo does not have, and an option it does not know, are named") {
  const auto no_model = make_model("alexnet", {});
  REQUIRE_FALSE(no_model);
  CHECK(no_model.error().message().find("'alexnet'") != std::string::npos);
  const auto no_option = make_model("resnet50", {"depth=9"});
  REQUIRE_FALSE(no_option);
  CHECK(no_option.error().message().find("'depth'") != std::string::npos);
  CHECK_FALSE(make_model("resnet50", {"size=large"}));
}
