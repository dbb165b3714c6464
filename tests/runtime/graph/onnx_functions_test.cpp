#include "runtime/graph/onnx_reader.hpp"
#include "runtime/operators/operator.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/runtime/graph/run_graph.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <google/protobuf/unknown_field_set.h>

using namespace shoal;
using namespace shoal::test;

namespace {

using names = std::initializer_list<std::string_view>;

onnx::FunctionProto& add_function(onnx::ModelProto& model, std::string_view name, names inputs,
                                  names outputs, int opset = 17) {
  auto& f = *model.add_functions();
  f.set_name(std::string(name));
  f.set_domain("local");
  for (const auto in : inputs) f.add_input(std::string(in));
  for (const auto out : outputs) f.add_output(std::string(out));
  f.add_opset_import()->set_version(opset);
  return f;
}

onnx::NodeProto& add_to(onnx::FunctionProto& f, std::string_view op, names inputs, names outputs,
                        std::string_view domain = "") {
  auto& node = *f.add_node();
  node.set_op_type(std::string(op));
  node.set_domain(std::string(domain));
  for (const auto in : inputs) node.add_input(std::string(in));
  for (const auto out : outputs) node.add_output(std::string(out));
  return node;
}

onnx::NodeProto& add_call(onnx::ModelProto& model, std::string_view f, names inputs,
                          names outputs) {
  auto& node = add_node(model, f, inputs, outputs);
  node.set_domain("local");
  return node;
}

onnx::AttributeProto& add_float(onnx::NodeProto& node, std::string_view name, float value) {
  auto& a = *node.add_attribute();
  a.set_name(std::string(name));
  a.set_type(onnx::AttributeProto::FLOAT);
  a.set_f(value);
  return a;
}

void add_reference(onnx::NodeProto& node, std::string_view name, std::string_view of_function) {
  auto& a = *node.add_attribute();
  a.set_name(std::string(name));
  a.set_type(onnx::AttributeProto::FLOAT);
  a.set_ref_attr_name(std::string(of_function));
}

/// Field 11 of a function, for which an old ONNX library has no name.
void add_default(onnx::FunctionProto& f, std::string_view name, float value) {
  onnx::NodeProto holder;
  auto& a = add_float(holder, name, value);
  f.GetReflection()->MutableUnknownFields(&f)->AddLengthDelimited(11, a.SerializeAsString());
}

std::vector<std::string> operators_of(const graph& g) {
  std::vector<std::string> out;
  for (const auto& node : g.nodes()) out.emplace_back(node.definition->name);
  return out;
}

imported_model imported(const onnx::ModelProto& model) {
  auto read = import_proto(model);
  REQUIRE_MESSAGE(read, (read ? std::string() : read.error().message()));
  return *std::move(read);
}

void check_same(const onnx::ModelProto& with_functions, const onnx::ModelProto& plain) {
  check_same_outputs(*imported(plain).model, *imported(with_functions).model, 0);
}

bool contains(const error& e, std::string_view text) {
  return e.message().find(text) != std::string::npos;
}

/// y = LeakyRelu(LeakyRelu(x)), the slopes `a` and `b`.
onnx::ModelProto leaky_model(float a, float b) {
  auto model = empty_model();
  add_float(add_node(model, "LeakyRelu", {"x"}, {"h"}), "alpha", a);
  add_float(add_node(model, "LeakyRelu", {"h"}, {"y"}), "alpha", b);
  return model;
}

/// The same by two calls of a function whose slope is an attribute.
onnx::ModelProto leaky_functions(std::optional<float> a, std::optional<float> b) {
  auto model = empty_model();
  auto& f = add_function(model, "leaky", {"in"}, {"out"});
  f.add_attribute("slope");
  add_reference(add_to(f, "LeakyRelu", {"in"}, {"out"}), "alpha", "slope");
  auto& first = add_call(model, "leaky", {"x"}, {"h"});
  auto& second = add_call(model, "leaky", {"h"}, {"y"});
  if (a) add_float(first, "slope", *a);
  if (b) add_float(second, "slope", *b);
  return model;
}

} // namespace

TEST_CASE("calls of a function become its nodes, whose names stay apart") {
  auto plain = empty_model();
  add_node(plain, "Sigmoid", {"x"}, {"a"});
  add_node(plain, "Mul", {"x", "a"}, {"b"});
  add_node(plain, "Sigmoid", {"b"}, {"c"});
  add_node(plain, "Mul", {"b", "c"}, {"y"});
  auto model = empty_model();
  auto& f = add_function(model, "swish", {"x"}, {"y"});
  add_to(f, "Sigmoid", {"x"}, {"h"});
  add_to(f, "Mul", {"x", "h"}, {"y"});
  add_call(model, "swish", {"x"}, {"h"}); // its output has the name of a value within
  add_call(model, "swish", {"h"}, {"y"});
  check_same(model, plain);
  CHECK(operators_of(*imported(model).model) ==
        std::vector<std::string>{"Sigmoid", "Mul", "Sigmoid", "Mul"});
}

TEST_CASE("functions call functions, whatever the order in which they come") {
  auto model = empty_model();
  auto& outer = add_function(model, "outer", {"a"}, {"c"});
  add_to(outer, "inner", {"a"}, {"b"}, "local");
  add_to(outer, "inner", {"b"}, {"c"}, "local");
  auto& inner = add_function(model, "inner", {"a"}, {"b"});
  add_to(inner, "Neg", {"a"}, {"t"});
  add_to(inner, "Exp", {"t"}, {"b"});
  add_call(model, "outer", {"x"}, {"y"});
  auto plain = empty_model();
  add_node(plain, "Neg", {"x"}, {"a"});
  add_node(plain, "Exp", {"a"}, {"b"});
  add_node(plain, "Neg", {"b"}, {"c"});
  add_node(plain, "Exp", {"c"}, {"y"});
  check_same(model, plain);
}

TEST_CASE("a function's nodes refer to the attributes of the call") {
  check_same(leaky_functions(0.5f, 0.25f), leaky_model(0.5f, 0.25f));
}

TEST_CASE("attributes that a call leaves out have the function's default, or the operator's") {
  auto model = leaky_functions(0.5f, std::nullopt);
  check_same(model, leaky_model(0.5f, 0.01f));
  add_default(*model.mutable_functions(0), "slope", 0.125f);
  check_same(model, leaky_model(0.5f, 0.125f));
}

TEST_CASE("attributes are handed on from function to function") {
  auto model = leaky_functions(0.5f, 0.5f);
  model.mutable_graph()->clear_node();
  auto& outer = add_function(model, "twice", {"a"}, {"c"});
  outer.add_attribute("steep");
  add_reference(add_to(outer, "leaky", {"a"}, {"b"}, "local"), "slope", "steep");
  add_float(add_to(outer, "leaky", {"b"}, {"c"}, "local"), "slope", 0.25f);
  add_float(add_call(model, "twice", {"x"}, {"y"}), "steep", 0.75f);
  check_same(model, leaky_model(0.75f, 0.25f));
}

TEST_CASE("inputs and outputs of a function may be left out, or be the same") {
  auto model = empty_model();
  auto& f = add_function(model, "f", {"a", "low", "high"}, {"clipped", "a", "unused"});
  add_to(f, "Clip", {"a", "low", "high"}, {"clipped"});
  add_to(f, "Neg", {"a"}, {"unused"});
  add_initializer(model, "zero", {}, {0});
  add_call(model, "f", {"x", "zero"}, {"p", "same"});
  add_node(model, "Add", {"p", "same"}, {"y"});
  auto plain = empty_model();
  add_node(plain, "Relu", {"x"}, {"p"});
  add_node(plain, "Add", {"p", "x"}, {"y"});
  check_same(model, plain);
}

TEST_CASE("graphs within a function see its values, attributes and functions") {
  auto model = empty_model();
  auto& f = add_function(model, "f", {"a", "yes"}, {"b"});
  f.add_attribute("slope");
  add_to(f, "Neg", {"a"}, {"inner"});
  auto& choice = add_to(f, "If", {"yes"}, {"b"});
  auto& branch = *choice.add_attribute();
  branch.set_name("then_branch");
  branch.set_type(onnx::AttributeProto::GRAPH);
  auto& graph = *branch.mutable_g();
  graph.add_output()->set_name("out");
  auto& call = *graph.add_node();
  call.set_op_type("g");
  call.set_domain("local");
  call.add_input("inner");
  call.add_output("h");
  auto& leaky = *graph.add_node();
  leaky.set_op_type("LeakyRelu");
  leaky.add_input("h");
  leaky.add_output("out");
  add_reference(leaky, "alpha", "slope");
  add_to(add_function(model, "g", {"p"}, {"q"}), "Exp", {"p"}, {"q"});
  add_float(add_call(model, "f", {"x", "z"}, {"y"}), "slope", 0.5f);

  REQUIRE(onnx_reader::inline_functions(model, {}));
  CHECK(model.functions_size() == 0);
  REQUIRE(model.graph().node_size() == 2);
  const auto& neg = model.graph().node(0);
  const auto& chosen = model.graph().node(1);
  CHECK(neg.input(0) == "x");
  CHECK(chosen.input(0) == "z");
  CHECK(chosen.output(0) == "y");
  const auto& then = chosen.attribute(0).g();
  REQUIRE(then.node_size() == 2);
  CHECK(then.node(0).op_type() == "Exp");
  CHECK(then.node(0).input(0) == neg.output(0));
  CHECK(then.node(1).input(0) == then.node(0).output(0));
  CHECK(then.node(1).attribute(0).f() == 0.5f);
  CHECK(then.node(1).attribute(0).ref_attr_name().empty());
  CHECK(then.output(0).name() == then.node(1).output(0));
}

TEST_CASE("functions bring the versions of domains that the model does not import") {
  auto model = empty_model();
  auto& f = add_function(model, "f", {"a"}, {"b"});
  auto& entry = *f.add_opset_import();
  entry.set_domain("com.microsoft");
  entry.set_version(1);
  add_to(f, "QuickGelu", {"a"}, {"b"}, "com.microsoft");
  add_call(model, "f", {"x"}, {"y"});
  CHECK(imported(model).opsets.at("com.microsoft") == 1);
}

TEST_CASE("a function of another version is taken if its operators mean the same") {
  const auto with = [](std::string_view op, int opset) {
    auto model = empty_model(17);
    auto& f = add_function(model, "f", {"a"}, {"b"}, opset);
    add_to(f, op, {"a"}, {"b"});
    add_call(model, "f", {"x"}, {"y"});
    return model;
  };
  CHECK(import_proto(with("Relu", 15)));
  const auto refused = import_error(with("Softmax", 11));
  CHECK(refused.code() == errc::unsupported);
  CHECK(
      contains(refused, "Softmax is of version 11 of domain '', but the model imports version 17"));
  CHECK(!import_proto(with("Relu", 99)));
}

TEST_CASE("recursion is refused") {
  auto model = empty_model();
  add_to(add_function(model, "a", {"x"}, {"y"}), "b", {"x"}, {"y"}, "local");
  add_to(add_function(model, "b", {"x"}, {"y"}), "a", {"x"}, {"y"}, "local");
  add_call(model, "a", {"x"}, {"y"});
  const auto refused = import_error(model);
  CHECK(refused.code() == errc::malformed);
  CHECK(contains(refused, "function 'a' calls itself"));
}

TEST_CASE("functions that grow without measure are refused before they do") {
  auto model = empty_model();
  for (int i = 0; i < 40; ++i) { // 2^40 nodes
    auto& f = add_function(model, fmt::format("f{}", i), {"x"}, {"y"});
    const auto callee = i == 39 ? std::string("Relu") : fmt::format("f{}", i + 1);
    const auto* domain = i == 39 ? "" : "local";
    add_to(f, callee, {"x"}, {"h"}, domain);
    add_to(f, callee, {"h"}, {"y"}, domain);
  }
  add_call(model, "f0", {"x"}, {"y"});
  auto refused = import_error(model);
  CHECK(refused.code() == errc::resource_exhausted);
  CHECK(contains(refused, "functions come to more than 200000 nodes"));
  import_options deep;
  deep.limits.max_nesting = 20;
  refused = import_error(model, deep);
  CHECK(contains(refused, "nest deeper than 20"));
}

TEST_CASE("functions that copy large constants are refused") {
  auto model = empty_model();
  auto& f = add_function(model, "f", {"x"}, {"y"});
  auto& constant = add_to(f, "Constant", {}, {"c"});
  auto& a = *constant.add_attribute();
  a.set_name("value_floats");
  a.set_type(onnx::AttributeProto::FLOATS);
  for (int i = 0; i < 1000; ++i) a.add_floats(1);
  add_to(f, "Relu", {"x"}, {"y"});
  add_call(model, "f", {"x"}, {"h"});
  add_call(model, "f", {"h"}, {"y"});
  CHECK(import_proto(model));
  import_options small;
  small.limits.max_function_bytes = 6000;
  const auto refused = import_error(model, small);
  CHECK(refused.code() == errc::resource_exhausted);
  CHECK(contains(refused, "functions come to more than 6000 bytes"));
}

TEST_CASE("broken functions and calls are refused") {
  const auto refused = [](auto change) {
    auto model = leaky_functions(0.5f, 0.5f);
    change(model);
    return import_error(model);
  };
  CHECK(contains(refused([](auto& m) { *m.add_functions() = m.functions(0); }),
                 "two functions have the name 'leaky'"));
  CHECK(contains(refused([](auto& m) { m.mutable_graph()->mutable_node(0)->add_input("x"); }),
                 "calls function 'leaky' with 2 inputs"));
  CHECK(contains(refused([](auto& m) { m.mutable_functions(0)->set_input(0, ""); }),
                 "without a name"));
  CHECK(contains(refused([](auto& m) { m.mutable_functions(0)->clear_opset_import(); }),
                 "which is not imported"));
  CHECK(contains(
      refused([](auto& m) { m.mutable_functions(0)->mutable_node(0)->set_input(0, "ghost"); }),
      "which nothing produces"));
  CHECK(contains(refused([](auto& m) {
                   auto& f = *m.mutable_functions(0);
                   f.GetReflection()->MutableUnknownFields(&f)->AddLengthDelimited(11, "\x0a\xff");
                 }),
                 "the default of an attribute is broken"));
  CHECK(contains(
      refused([](auto& m) { m.mutable_functions(0)->mutable_node(0)->set_op_type("Frob"); }),
      "operator Frob"));
}
