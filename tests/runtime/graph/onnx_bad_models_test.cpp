
#include "tests/runtime/graph/model_protos.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace shoal;
using namespace shoal::test;

namespace {

struct bad_model {
  std::string_view what;
  std::function<void(onnx::ModelProto&)> spoil;
  errc code;
  std::string_view message; ///< a part of it
};

onnx::TensorProto& initializer(onnx::ModelProto& m) {
  return add_initializer(m, "w", {2, 2}, {1, 2, 3, 4});
}

onnx::AttributeProto& attribute_of(onnx::ModelProto& m, std::string_view name,
                                   onnx::AttributeProto::AttributeType type) {
  auto& a = *m.mutable_graph()->mutable_node(0)->add_attribute();
  a.set_name(std::string(name));
  a.set_type(type);
  return a;
}

const bad_model versions[] = {
    {"old opset", [](auto& m) { m.mutable_opset_import(0)->set_version(0); }, errc::malformed,
     "opset 0 of domain '' is no version"},
    {"new opset", [](auto& m) { m.mutable_opset_import(0)->set_version(22); }, errc::unsupported,
     "opset 22 of ai.onnx is not supported; 1 to 21 are"},
    {"two opsets", [](auto& m) { m.add_opset_import()->set_version(13); }, errc::malformed,
     "imports opsets 17 and 13"},
    {"no opset", [](auto& m) { m.clear_opset_import(); }, errc::malformed,
     "node 'Relu_0' (Relu) is of domain 'ai.onnx', of which the model imports no version"},
    {"old IR", [](auto& m) { m.set_ir_version(2); }, errc::unsupported,
     "IR version 2 is not supported; 3 to 13 are"},
    {"new com.microsoft",
     [](auto& m) {
       auto& d = *m.add_opset_import();
       d.set_domain("com.microsoft");
       d.set_version(2);
     },
     errc::unsupported, "opset 2 of com.microsoft is not supported; 1 is"},
    {"functions", [](auto& m) { m.add_functions()->set_name("f"); }, errc::unsupported,
     "model-local functions are not supported; the first is 'f'"},
};

const bad_model graphs[] = {
    {"unknown operator", [](auto& m) { m.mutable_graph()->mutable_node(0)->set_op_type("Frob"); },
     errc::unsupported, "operator Frob (domain ai.onnx, opset 17) of node 'Frob_0'"},
    {"control flow without a body",
     [](auto& m) { m.mutable_graph()->mutable_node(0)->set_op_type("Scan"); }, errc::malformed,
     "Scan 'Scan_0' (opset 17): Required attribute 'body' is missing"},
    {"missing producer", [](auto& m) { m.mutable_graph()->mutable_node(0)->set_input(0, "ghost"); },
     errc::malformed, "node 'Relu_0' reads value 'ghost', which nothing produces"},
    {"cycle",
     [](auto& m) {
       add_node(m, "Relu", {"b"}, {"a"});
       add_node(m, "Relu", {"a"}, {"b"});
     },
     errc::malformed, "the graph has a cycle through node 'Relu_1'"},
    {"two producers", [](auto& m) { add_node(m, "Relu", {"x"}, {"y"}); }, errc::malformed,
     "node 'Relu_1': value 'y' has two sources"},
    {"node writes an input", [](auto& m) { add_node(m, "Relu", {"y"}, {"x"}); }, errc::malformed,
     "value 'x' has two sources"},
    {"two initialisers",
     [](auto& m) {
       initializer(m);
       initializer(m);
     },
     errc::malformed, "value 'w' has two sources"},
    {"two inputs", [](auto& m) { declare(*m.mutable_graph()->add_input(), "x", {}); },
     errc::malformed, "two graph inputs have the name 'x'"},
    {"two outputs", [](auto& m) { declare(*m.mutable_graph()->add_output(), "y", {}); },
     errc::malformed, "two graph outputs have the name 'y'"},
    {"unproduced output", [](auto& m) { declare(*m.mutable_graph()->add_output(), "z", {}); },
     errc::malformed, "graph output 'z' is not produced by any node"},
    {"no outputs", [](auto& m) { m.mutable_graph()->clear_output(); }, errc::malformed,
     "the graph has no outputs"},
    {"nameless input", [](auto& m) { m.mutable_graph()->mutable_input(0)->clear_name(); },
     errc::malformed, "an input of the graph has no name"},
    {"untyped input", [](auto& m) { m.mutable_graph()->mutable_input(0)->clear_type(); },
     errc::malformed, "input 'x' has no element type"},
    {"input against initialiser",
     [](auto& m) {
       initializer(m);
       declare(*m.mutable_graph()->add_input(), "w", {2, 2}, onnx::TensorProto::INT32);
     },
     errc::malformed, "input 'w' is int32, the initialiser of its name float32"},
    {"sequence input",
     [](auto& m) { m.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type(); },
     errc::unsupported, "input 'x' is a sequence; only tensors are supported"},
    {"string input",
     [](auto& m) {
       declare(*m.mutable_graph()->mutable_input(0), "x", {}, onnx::TensorProto::STRING);
     },
     errc::unsupported, "input 'x': ONNX element type STRING is not supported"},
    {"unknown element type",
     [](auto& m) { declare(*m.mutable_graph()->mutable_input(0), "x", {}, 77); }, errc::unsupported,
     "input 'x': unknown ONNX element type 77"},
    {"high rank",
     [](auto& m) {
       declare(*m.mutable_graph()->mutable_input(0), "x", {1, 1, 1, 1, 1, 1, 1, 1, 1});
     },
     errc::unsupported, "input 'x': 11 dimensions, at most 8 are supported"},
    {"sparse initialiser", [](auto& m) { m.mutable_graph()->add_sparse_initializer(); },
     errc::unsupported, "sparse initialisers are not supported"},
};

const bad_model nodes[] = {
    {"too few inputs", [](auto& m) { m.mutable_graph()->mutable_node(0)->clear_input(); },
     errc::malformed, "input size 0 not in range"},
    {"too many inputs",
     [](auto& m) { m.mutable_graph()->mutable_node(0)->add_input(std::string("x")); },
     errc::malformed, "input size 2 not in range"},
    {"input left out",
     [](auto& m) { m.mutable_graph()->mutable_node(0)->mutable_input(0)->clear(); },
     errc::malformed, "Relu 'Relu_0' (opset 17): "},
    {"too many outputs",
     [](auto& m) { m.mutable_graph()->mutable_node(0)->add_output(std::string("z")); },
     errc::malformed, "output size 2 not in range"},
    {"unknown attribute", [](auto& m) { attribute_of(m, "size", onnx::AttributeProto::INT); },
     errc::malformed, "Unrecognized attribute: size for operator Relu"},
    {"subgraph",
     [](auto& m) { attribute_of(m, "__body", onnx::AttributeProto::GRAPH).mutable_g(); },
     errc::malformed, "__body of node 'Relu_0': a graph came, which Relu does not run"},
    {"attribute of a function",
     [](auto& m) { attribute_of(m, "__a", onnx::AttributeProto::INT).set_ref_attr_name("alpha"); },
     errc::unsupported, "it refers to the attribute 'alpha' of a function"},
    {"attribute without a kind",
     [](auto& m) { attribute_of(m, "__a", onnx::AttributeProto::UNDEFINED); }, errc::unsupported,
     "attributes of kind UNDEFINED are not supported"},
    {"text constant",
     [](auto& m) {
       m.mutable_graph()->mutable_node(0)->set_op_type("Constant");
       m.mutable_graph()->mutable_node(0)->clear_input();
       attribute_of(m, "value_string", onnx::AttributeProto::STRING).set_s("no");
     },
     errc::unsupported, "Constant 'Constant_0' (opset 17): attribute 'value_string'"},
};

const bad_model tensors[] = {
    {"short data", [](auto& m) { initializer(m).mutable_raw_data()->resize(15); }, errc::malformed,
     "tensor \"w\": "},
    {"long data", [](auto& m) { initializer(m).mutable_raw_data()->resize(17); }, errc::malformed,
     "tensor \"w\": "},
    {"negative extent", [](auto& m) { initializer(m).set_dims(0, -2); }, errc::malformed,
     "shape [-2,2] has the negative extent -2"},
    {"overflow",
     [](auto& m) {
       auto& w = initializer(m);
       for (int i = 0; i < 2; ++i) w.set_dims(i, std::int64_t{1} << 40);
     },
     errc::malformed, "overflows"},
    {"claims more than it has", [](auto& m) { initializer(m).set_dims(0, std::int64_t{1} << 30); },
     errc::malformed, "tensor \"w\": "},
    {"strings", [](auto& m) { initializer(m).set_data_type(onnx::TensorProto::STRING); },
     errc::unsupported, "tensor \"w\": ONNX element type STRING is not supported"},
    {"external data in memory",
     [](auto& m) {
       auto& w = initializer(m);
       w.clear_raw_data();
       w.set_data_location(onnx::TensorProto::EXTERNAL);
       add_external(w, "location", "w.bin");
     },
     errc::unsupported, "'w.bin'"},
    {"nameless initialiser", [](auto& m) { initializer(m).clear_name(); }, errc::malformed,
     "an initialiser has no name"},
};

void check_refused(std::span<const bad_model> cases) {
  for (const auto& bad : cases) {
    CAPTURE(bad.what);
    auto model = relu_model();
    bad.spoil(model);
    const auto refused = import_error(model);
    CAPTURE(refused.message());
    CHECK(refused.code() == bad.code);
    CHECK(refused.message().find(bad.message) != std::string::npos);
  }
}

} // namespace

TEST_CASE("versions beyond those supported are refused by name") {
  check_refused(versions);
}

TEST_CASE("graphs that contradict themselves or use what Shoal does not do are refused") {
  check_refused(graphs);
}

TEST_CASE("nodes that break their operator's schema are refused") {
  check_refused(nodes);
}

TEST_CASE("tensors that do not hold what they claim are refused") {
  check_refused(tensors);
}

TEST_CASE("arity is checked also in opsets that the ONNX library does not know") {
  auto model = relu_model(21);
  CHECK(import_proto(model));
  model.mutable_graph()->mutable_node(0)->add_input(std::string("x"));
  CHECK(import_error(model).message() == "Relu 'Relu_0' (opset 21): expected 1 to 1 inputs, got 2");
}

TEST_CASE("every limit holds") {
  const auto refused = [](auto set, const onnx::ModelProto& model) {
    import_options options;
    set(options.limits);
    const auto e = import_error(model, options);
    return e.code() == errc::resource_exhausted ? e.message() : std::string();
  };
  auto model = relu_model();
  initializer(model);
  add_node(model, "Relu", {"w"}, {"long_name_of_a_value"});
  CHECK(refused([](auto& l) { l.max_nodes = 1; }, model) ==
        "the graph has 2 nodes, at most 1 are accepted");
  CHECK(refused([](auto& l) { l.max_values = 3; }, model) ==
        "the graph has 4 values, at most 3 are accepted");
  CHECK(refused([](auto& l) { l.max_name_length = 10; }, model).find("has 20 bytes") !=
        std::string::npos);
  CHECK(refused([](auto& l) { l.max_fields = 10; }, model) == "more than 10 fields");
  CHECK(refused([](auto& l) { l.max_nesting = 2; }, model) == "messages nest deeper than 2");
  CHECK(refused([](auto& l) { l.max_initializer_bytes = 15; }, model).find("16 bytes") !=
        std::string::npos);
  auto& a = attribute_of(model, "__many", onnx::AttributeProto::INTS);
  for (int i = 0; i < 100; ++i) a.add_ints(i);
  CHECK(refused([](auto& l) { l.max_attribute_bytes = 799; }, model).find("800 bytes") !=
        std::string::npos);
}

TEST_CASE("packed floats are not counted, packed integers are: they grow when unpacked") {
  import_options options;
  options.limits.max_fields = 500;
  auto floats = relu_model();
  auto& f = add_initializer(floats, "w", {10'000}, {});
  f.clear_raw_data();
  for (int i = 0; i < 10'000; ++i) f.add_float_data(1);
  CHECK(import_proto(floats, options));
  auto integers = relu_model();
  auto& n = add_initializer(integers, "w", {10'000}, {});
  n.clear_raw_data();
  n.set_data_type(onnx::TensorProto::INT64);
  for (int i = 0; i < 10'000; ++i) n.add_int64_data(1);
  CHECK(import_error(integers, options).message() == "more than 500 fields");
}

TEST_CASE("a model nested hundreds of levels deep is refused before it is parsed") {
  auto model = relu_model();
  auto* graph = model.mutable_graph();
  for (int i = 0; i < 300; ++i) {
    auto& body = *graph->add_node()->add_attribute();
    body.set_name("body");
    graph = body.mutable_g();
  }
  CHECK(import_error(model).message() == "messages nest deeper than 48");
}

TEST_CASE("cut or changed anywhere, a model imports or fails with an error, and nothing else") {
  auto model = relu_model();
  initializer(model);
  const auto whole = model.SerializeAsString();
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(import_onnx_bytes(bytes_of(whole.substr(0, size))));
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int bit : {1, 16, 128}) {
      auto changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ bit);
      const auto imported = import_onnx_bytes(bytes_of(changed));
      if (imported) continue;
      ++refused;
      CHECK(!imported.error().message().empty());
    }
  }
  CHECK(refused > 0);
}
