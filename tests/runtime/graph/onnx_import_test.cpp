#include "runtime/graph/onnx_import.hpp"
#include "runtime/operators/operator.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("a model becomes a graph with its interface, nodes and opsets") {
  auto proto = relu_model(13);
  proto.set_producer_version("1.0");
  auto& dims = *proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
  dims.mutable_shape()->mutable_dim(0)->set_dim_param("batch");
  dims.mutable_shape()->mutable_dim(1)->set_dim_value(-1);
  const auto imported = import_proto(proto);
  REQUIRE(imported);
  const auto& g = *imported->model;
  CHECK(g.name() == "g");
  CHECK(imported->ir_version == 8);
  CHECK(imported->producer == "test 1.0");
  CHECK(imported->opsets == std::map<std::string, int>{{"", 13}});
  CHECK(imported->parameter_bytes == 0);
  REQUIRE(g.nodes().size() == 1);
  CHECK(g.nodes()[0].definition->name == "Relu");
  CHECK(g.nodes()[0].opset == 13);
  CHECK(g.nodes()[0].name == "Relu_0");
  REQUIRE(g.inputs().size() == 1);
  CHECK(describe(g.value(g.inputs()[0])) == "float32[batch,?]");
  CHECK(describe(g.value(g.outputs()[0])) == "float32[2,3]");
}

TEST_CASE(
    "nodes in any order are sorted, and unnamed or equally named ones get names of their own") {
  auto proto = empty_model();
  add_node(proto, "Relu", {"b"}, {"y"}).set_name("same");
  add_node(proto, "Identity", {"a"}, {"b"}).set_name("same");
  add_node(proto, "Relu", {"x"}, {"a"});
  const auto imported = import_proto(proto);
  REQUIRE(imported);
  const auto nodes = imported->model->nodes();
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[0].name == "Relu_2");
  CHECK(nodes[1].name == "same_1");
  CHECK(nodes[2].name == "same");
}

TEST_CASE("initialisers are constants even where an old model lists them as inputs too") {
  auto proto = empty_model(7);
  proto.set_ir_version(3);
  declare(*proto.mutable_graph()->add_input(), "w", {2});
  add_initializer(proto, "w", {2}, {1.5f, -2});
  add_node(proto, "Relu", {"w"}, {"v"});
  add_node(proto, "Relu", {"x"}, {"y"});
  declare(*proto.mutable_graph()->add_output(), "v", {2});
  const auto imported = import_proto(proto);
  REQUIRE(imported);
  const auto& g = *imported->model;
  CHECK(g.inputs().size() == 1);
  CHECK(imported->parameter_bytes == 8);
  const auto& w = g.value(g.nodes()[0].inputs[0]);
  CHECK(w.name == "w");
  CHECK(identical(w.constant, tensor::of<float>({2}, {1.5f, -2})));
}

TEST_CASE("Constant nodes of every numeric kind become constants") {
  auto proto = empty_model();
  const auto constant = [&](const char* name) -> onnx::AttributeProto& {
    auto& node = add_node(proto, "Constant", {}, {name});
    add_node(proto, "Identity", {name}, {std::string("out_") + name});
    proto.mutable_graph()->add_output()->set_name(std::string("out_") + name);
    return *node.add_attribute();
  };
  auto& floats = constant("floats");
  floats.set_name("value_floats");
  floats.set_type(onnx::AttributeProto::FLOATS);
  floats.add_floats(0.5f);
  floats.add_floats(2);
  auto& number = constant("number");
  number.set_name("value_int");
  number.set_type(onnx::AttributeProto::INT);
  number.set_i(-7);
  auto& whole = constant("whole");
  whole.set_name("value");
  whole.set_type(onnx::AttributeProto::TENSOR);
  whole.mutable_t()->set_data_type(onnx::TensorProto::UINT8);
  whole.mutable_t()->add_dims(3);
  whole.mutable_t()->set_raw_data("abc");
  add_node(proto, "Relu", {"x"}, {"y"});
  const auto imported = import_proto(proto);
  REQUIRE(imported);
  const auto& g = *imported->model;
  REQUIRE(g.nodes().size() == 4);
  const auto read = [&](int node) {
    return g.value(g.nodes()[std::size_t(node)].inputs[0]).constant;
  };
  CHECK(identical(read(0), tensor::of<float>({2}, {0.5f, 2})));
  CHECK(identical(read(1), tensor::of<std::int64_t>({}, {-7})));
  CHECK(identical(read(2), tensor::of<std::uint8_t>({3}, {'a', 'b', 'c'})));
}

TEST_CASE("large raw data is moved out of the file, not copied, and suits its type") {
  auto proto = empty_model();
  add_initializer(proto, "w", {1000}, std::vector<float>(1000, 3));
  add_node(proto, "Relu", {"w"}, {"y"});
  const auto imported = import_proto(proto);
  REQUIRE(imported);
  const auto& w = imported->model->value(imported->model->nodes()[0].inputs[0]).constant;
  CHECK(reinterpret_cast<std::uintptr_t>(w.data()) % alignof(float) == 0);
  CHECK(w.values<float>()[999] == 3);
}

TEST_CASE("optional outputs that nobody reads are forgotten") {
  auto model = empty_model(7);
  add_node(model, "Dropout", {"x"}, {"y", "mask"});
  const auto imported = import_proto(model);
  REQUIRE(imported);
  CHECK(imported->model->nodes()[0].outputs.size() == 1);
  add_node(model, "Relu", {"mask"}, {"z"});
  const auto with_reader = import_proto(model);
  REQUIRE(with_reader);
  CHECK(with_reader->model->nodes()[0].outputs.size() == 2);
}

TEST_CASE("the outputs of Split stay as many as they are") {
  auto model = empty_model(11);
  add_node(model, "Split", {"x"}, {"", "y", "unread"}).add_attribute()->set_name("axis");
  model.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_i(1);
  model.mutable_graph()->mutable_node(0)->mutable_attribute(0)->set_type(onnx::AttributeProto::INT);
  const auto imported = import_proto(model);
  REQUIRE_MESSAGE(imported, (imported ? std::string() : imported.error().message()));
  CHECK(imported->model->nodes()[0].outputs.size() == 3);
}

TEST_CASE("a node must name its first output, in whichever domain") {
  auto model = relu_model();
  auto& other = *model.add_opset_import();
  other.set_domain("com.microsoft");
  other.set_version(1);
  for (const auto* domain : {"", "com.microsoft"}) {
    CAPTURE(domain);
    auto broken = model;
    add_node(broken, "Gelu", {"x"}, {""}).set_domain(domain);
    if (*domain == '\0') broken.mutable_graph()->mutable_node(1)->set_op_type("Relu");
    const auto refused = import_error(broken);
    CHECK(refused.code() == errc::malformed);
    CAPTURE(refused.message());
    CHECK(refused.message().find("output 0") != std::string::npos);
  }
}

TEST_CASE("domains that no node uses may be imported in any version") {
  auto proto = relu_model();
  auto& other = *proto.add_opset_import();
  other.set_domain("ai.onnx.ml");
  other.set_version(99);
  CHECK(import_proto(proto));
}

TEST_CASE("a file that cannot be a model is refused by what is wrong with it") {
  temporary_folder folder;
  const auto missing = import_onnx_file(folder.path() / "none.onnx");
  REQUIRE(!missing);
  CHECK(missing.error().code() == errc::not_found);
  const auto is_folder = import_onnx_file(folder.path());
  REQUIRE(!is_folder);
  CHECK(is_folder.error().message().find("not a regular file") != std::string::npos);

  const auto path = folder.path() / "model.onnx";
  const auto import_text = [&](std::string_view text, const import_options& options = {}) {
    std::ofstream(path, std::ios::binary) << text;
    auto imported = import_onnx_file(path, options);
    return imported ? std::string() : imported.error().message();
  };
  const auto whole = relu_model().SerializeAsString();
  CHECK(import_text(whole).empty());
  CHECK(import_text("").find("it has no bytes") != std::string::npos);
  CHECK(import_text("<!DOCTYPE html>").find("this is not an ONNX model") != std::string::npos);
  CHECK(import_text(whole.substr(0, whole.size() / 2)).find("truncated") != std::string::npos);
  CHECK(import_text("\x08\x08").find("it has no graph") != std::string::npos);
  import_options small;
  small.limits.max_file_bytes = 20;
  CHECK(import_text(whole, small).find("at most 20 are accepted") != std::string::npos);
}

TEST_CASE("every real model that is at hand imports, or names the operator it lacks") {
  const auto models = shared_file("models");
  if (!models) {
    MESSAGE("skipped: no shared models");
    return;
  }
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*models)) {
    const auto file = entry.path() / "model.onnx";
    if (!std::filesystem::exists(file)) continue;
    ++seen;
    CAPTURE(file.string());
    const auto imported = import_onnx_file(file);
    if (imported) {
      CHECK(imported->parameter_bytes > 0);
      continue;
    }
    CHECK(imported.error().code() == errc::unsupported);
    CHECK(imported.error().message().find("operator ") != std::string::npos);
    MESSAGE(imported.error().message());
  }
  CHECK(seen > 0);
}
