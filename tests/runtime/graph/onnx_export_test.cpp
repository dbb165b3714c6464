#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/random_graph.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Weights that are "elsewhere", by location.
class map_weights final : public weight_source {
 public:
  result<tensor> load(const std::string& location, std::uint64_t offset,
                      std::optional<std::uint64_t> length, const tensor_type& type) override {
    const auto& found = stored.at(location);
    CHECK(offset == 0);
    CHECK(length == found.byte_size());
    CHECK(type == found.type());
    ++loads;
    return found;
  }
  std::map<std::string, tensor> stored;
  int loads = 0;
};

/// Relu of a constant of every element type there is.
graph graph_of_constants() {
  graph_builder b;
  for (int i = 0; i < dtype_count; ++i) {
    const tensor_type type{static_cast<dtype>(i), {2, 3}};
    auto value = *tensor::allocate(type);
    for (std::size_t at = 0; at < value.byte_size(); ++at)
      value.mutable_data()[at] = static_cast<std::byte>(at % 2);
    graph_node node;
    node.definition = *find_operator("Identity", "", 13, "");
    node.name = fmt::format("n{}", i);
    node.opset = 13;
    node.inputs = {b.add_constant(fmt::format("c{}", i), value)};
    node.outputs = {b.add_value({fmt::format("y{}", i), type.type, {}, {}})};
    b.outputs.push_back(node.outputs[0]);
    b.nodes.push_back(std::move(node));
  }
  return *std::move(b).build();
}

} // namespace

TEST_CASE("exporting and importing a random graph gives the same graph") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const auto original = random_graph(seed, true);
    const auto bytes = export_onnx_bytes(original);
    REQUIRE(bytes);
    const auto imported = import_onnx_bytes(bytes_of(*bytes));
    REQUIRE(imported);
    CHECK(text_of(*imported->model) == text_of(original));
    CHECK(*export_onnx_bytes(*imported->model) == *bytes);
  }
}

TEST_CASE("constants of every element type survive, inside the model and outside") {
  const auto original = graph_of_constants();
  const auto inside = import_onnx_bytes(bytes_of(*export_onnx_bytes(original)));
  REQUIRE(inside);
  CHECK(text_of(*inside->model) == text_of(original));

  map_weights weights;
  export_options options;
  options.embed_below = 12; // of 6 elements: one-byte types stay inside
  options.place = [&](const graph_value& value) -> std::optional<external_location> {
    if (value.name == "c0") return std::nullopt;
    weights.stored["sha/" + value.name] = value.constant;
    return external_location{"sha/" + value.name, 0};
  };
  const auto bytes = export_onnx_bytes(original, options);
  REQUIRE(bytes);
  import_options with_weights;
  with_weights.weights = &weights;
  const auto outside = import_onnx_bytes(bytes_of(*bytes), with_weights);
  REQUIRE(outside);
  CHECK(weights.loads == dtype_count - 4); // without i8, u8, bool and c0
  CHECK(text_of(*outside->model) == text_of(original));
}

TEST_CASE("inputs without a type survive where the import allows them") {
  graph_builder b;
  b.inputs = {b.add_value({"x", {}, {}, {}})};
  graph_node node;
  node.definition = *find_operator("Relu", "", 17, "");
  node.name = "relu";
  node.opset = 17;
  node.inputs = b.inputs;
  node.outputs = {b.add_value({"y", {}, {}, {}})};
  b.outputs = node.outputs;
  b.nodes.push_back(node);
  const auto original = *std::move(b).build();
  const auto bytes = export_onnx_bytes(original);
  REQUIRE(bytes);
  CHECK_FALSE(import_onnx_bytes(bytes_of(*bytes)));
  import_options stage;
  stage.untyped_inputs = true;
  const auto imported = import_onnx_bytes(bytes_of(*bytes), stage);
  REQUIRE(imported);
  CHECK(text_of(*imported->model) == text_of(original));
}

TEST_CASE("a graph that ONNX cannot express is refused by name") {
  graph_builder two_opsets(random_graph(3, true));
  two_opsets.nodes.front().opset = 13;
  two_opsets.nodes.push_back(two_opsets.nodes.front());
  two_opsets.nodes.back().opset = 17;
  two_opsets.nodes.back().outputs = {two_opsets.add_value({"new", {}, {}, {}})};
  const auto mixed = export_onnx_bytes(*std::move(two_opsets).build());
  REQUIRE(!mixed);
  CHECK(mixed.error().message().find("is of opset 17 of domain '', others of 13") !=
        std::string::npos);
  graph_builder twins(random_graph(3, true));
  graph_node extra = twins.nodes.front();
  twins.values[extra.outputs[0]].name = "twin";
  extra.outputs = {twins.add_value({"twin", {}, {}, {}})};
  twins.nodes.push_back(extra);
  const auto same = export_onnx_bytes(*std::move(twins).build());
  REQUIRE(!same);
  CHECK(same.error().message() == "two values have the name 'twin'");
}

TEST_CASE("real models survive export and import") {
  const auto models = shared_file("models");
  if (!models) {
    MESSAGE("skipped: no shared models");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    const auto imported = import_onnx_file(entry.path() / "model.onnx");
    if (!imported) continue; // onnx_import_test says why
    CAPTURE(entry.path().string());
    const auto bytes = export_onnx_bytes(*imported->model);
    REQUIRE(bytes);
    const auto again = import_onnx_bytes(bytes_of(*bytes));
    REQUIRE(again);
    CHECK((text_of(*again->model) == text_of(*imported->model)));
  }
}
