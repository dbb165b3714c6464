#include "runtime/base/fail.hpp"
#include "runtime/operators/operators.hpp"
#include "tests/conformance/onnx_suite.hpp"
#include "tests/support/operator_rules.hpp"

#include <algorithm>
#include <cstring>

// ONNX's tests of single nodes on every kernel that applies. A session takes one of them and may
// rewrite the node away: suite_conformance_test.cpp runs it as it is meant to be run.

using namespace shoal;
using namespace shoal::test;

namespace {

std::optional<dtype> dtype_from(int onnx_type) {
  static const std::map<int, dtype> types = {
      {onnx::TensorProto::FLOAT, dtype::f32},    {onnx::TensorProto::DOUBLE, dtype::f64},
      {onnx::TensorProto::FLOAT16, dtype::f16},  {onnx::TensorProto::BFLOAT16, dtype::bf16},
      {onnx::TensorProto::INT8, dtype::i8},      {onnx::TensorProto::INT16, dtype::i16},
      {onnx::TensorProto::INT32, dtype::i32},    {onnx::TensorProto::INT64, dtype::i64},
      {onnx::TensorProto::UINT8, dtype::u8},     {onnx::TensorProto::UINT16, dtype::u16},
      {onnx::TensorProto::UINT32, dtype::u32},   {onnx::TensorProto::UINT64, dtype::u64},
      {onnx::TensorProto::BOOL, dtype::boolean},
  };
  const auto found = types.find(onnx_type);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

/// Field `values`, one entry per element, in the type of the tensor.
template <class Field>
void fill(tensor& t, const Field& values) {
  visit_dtype(t.element_type(), [&]<class T>(std::type_identity<T>) {
    std::size_t i = 0;
    for (auto& v : t.mutable_values<T>()) {
      const auto given = values.Get(static_cast<int>(i++));
      if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
        v.bits = static_cast<std::uint16_t>(given); // 16-bit floats come as the bits of an int32
      else
        v = static_cast<T>(given);
    }
  });
}

std::optional<tensor> tensor_from(const onnx::TensorProto& proto) {
  const auto type = dtype_from(proto.data_type());
  if (!type || proto.dims_size() > shape::max_rank) return std::nullopt;
  const std::vector<std::int64_t> dims(proto.dims().begin(), proto.dims().end());
  auto allocated = tensor::allocate({*type, shape(dims)});
  if (!allocated) return std::nullopt;
  tensor t = *allocated;
  const auto count = static_cast<int>(t.element_count());
  if (!proto.raw_data().empty() && proto.raw_data().size() == t.byte_size())
    std::memcpy(t.mutable_data(), proto.raw_data().data(), t.byte_size());
  else if (proto.float_data_size() == count)
    fill(t, proto.float_data());
  else if (proto.double_data_size() == count)
    fill(t, proto.double_data());
  else if (proto.int64_data_size() == count)
    fill(t, proto.int64_data());
  else if (proto.uint64_data_size() == count)
    fill(t, proto.uint64_data());
  else if (proto.int32_data_size() == count)
    fill(t, proto.int32_data());
  else
    return std::nullopt;
  return t;
}

/// The attribute in our kinds; nothing for graphs, sparse tensors and the like.
std::optional<attribute> attribute_from(const onnx::AttributeProto& proto) {
  switch (proto.type()) {
  case onnx::AttributeProto::INT:
    return proto.i();
  case onnx::AttributeProto::FLOAT:
    return proto.f();
  case onnx::AttributeProto::STRING:
    return proto.s();
  case onnx::AttributeProto::INTS:
    return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
  case onnx::AttributeProto::FLOATS:
    return std::vector<float>(proto.floats().begin(), proto.floats().end());
  case onnx::AttributeProto::STRINGS:
    return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
  case onnx::AttributeProto::TENSOR:
    if (auto t = tensor_from(proto.t())) return *t;
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

/// A test read from its folder.
struct conformance_case {
  node_case node;
  std::vector<std::pair<std::size_t, tensor>> expected; ///< by output of the node
};

bool is_known(const std::string& name, const std::string& domain) {
  return std::any_of(all_operators().begin(), all_operators().end(),
                     [&](const auto* op) { return op->name == name && op->domain == domain; });
}

int opset_of(const onnx::ModelProto& model, const std::string& domain) {
  for (const auto& import : model.opset_import())
    if ((import.domain() == "ai.onnx" ? "" : import.domain()) == domain)
      return static_cast<int>(import.version());
  return 0;
}

/// The tensors "input_0.pb", ... by the names that the graph gives them.
template <class Values>
std::optional<std::map<std::string, tensor>>
read_tensors(const std::filesystem::path& folder, const char* prefix, const Values& values) {
  std::map<std::string, tensor> tensors;
  for (int i = 0; i < values.size(); ++i) {
    if (!values.Get(i).type().has_tensor_type()) return std::nullopt;
    const auto file = folder / (prefix + std::to_string(i) + ".pb");
    const auto proto = read_message<onnx::TensorProto>(file);
    const auto t = proto ? tensor_from(*proto) : std::nullopt;
    if (!t) return std::nullopt;
    // ONNX writes the bits of bfloat16 as an uint16 tensor; the graph tells what they are.
    const auto declared = dtype_from(values.Get(i).type().tensor_type().elem_type());
    const bool bits = t->element_type() == dtype::u16 && declared == dtype::bf16;
    tensors.emplace(values.Get(i).name(),
                    bits ? tensor({dtype::bf16, t->dims()}, t->bytes_owner()) : *t);
  }
  return tensors;
}

/// Nothing when the model is more than one node, or of types that are no tensors of ours.
std::optional<conformance_case> read_case(const std::filesystem::path& folder) {
  const auto model = read_message<onnx::ModelProto>(folder / "model.onnx");
  if (!model || model->graph().node_size() != 1) return std::nullopt;
  const auto& node = model->graph().node(0);
  const std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
  if (!is_known(node.op_type(), domain)) return std::nullopt;
  const auto data = folder / "test_data_set_0";
  const auto inputs = read_tensors(data, "input_", model->graph().input());
  const auto outputs = read_tensors(data, "output_", model->graph().output());
  if (!inputs || !outputs) return std::nullopt;
  conformance_case test;
  test.node.op = node.op_type();
  test.node.domain = domain;
  test.node.opset = opset_of(*model, domain);
  test.node.outputs = static_cast<std::size_t>(node.output_size());
  for (const auto& name : node.input()) {
    const auto found = inputs->find(name);
    if (!name.empty() && found == inputs->end()) return std::nullopt;
    test.node.inputs.emplace_back(name.empty() ? tensor() : found->second, true);
  }
  for (const auto& proto : node.attribute()) {
    const auto value = attribute_from(proto);
    if (!value) return std::nullopt;
    test.node.attrs.set(proto.name(), *value);
  }
  for (int i = 0; i < node.output_size(); ++i)
    if (const auto found = outputs->find(node.output(i)); found != outputs->end())
      test.expected.emplace_back(static_cast<std::size_t>(i), found->second);
  return test;
}

/// What is wrong with the outputs of one kernel, or nothing.
std::string compare(const conformance_case& test, const std::vector<tensor>& outputs) {
  for (const auto& [i, expected] : test.expected) {
    if (i >= outputs.size()) return fmt::format("output {} is missing", i);
    if (outputs[i].type() != expected.type())
      return fmt::format("output {} is {}, expected {}", i, to_string(outputs[i].type()),
                         to_string(expected.type()));
    // ONNX cuts floats off to bfloat16 where we round: one unit of its last place apart.
    const double tolerance = expected.element_type() == dtype::bf16 ? 8e-3 : suite_relative;
    if (const auto off = mismatch(outputs[i], expected, tolerance, suite_absolute); !(off <= 1))
      return fmt::format("output {} is {} times the tolerance off", i, off);
  }
  return "";
}

/// Runs every kernel that applies, with the inputs as constants and, where the shapes can be had
/// without knowing them, as values that come while running.
std::string run_case(conformance_case test) {
  for (const bool constant : {true, false}) {
    for (auto& input : test.node.inputs) input.constant = constant;
    if (const auto types = infer_node(test.node); !types) {
      if (!constant) break;
      return to_string(types.error());
    }
    auto names = applicable_kernels(test.node);
    if (names.empty()) names.emplace_back(); // a view, or what `evaluate` covers
    for (const auto& name : names) {
      const auto outputs = run_node(test.node, name);
      if (!outputs) return to_string(outputs.error());
      if (auto wrong = compare(test, *outputs); !wrong.empty())
        return fmt::format("kernel '{}': {}", name, wrong);
    }
  }
  return "";
}

/// The node with as few constants as its shapes allow; nothing when it is too large to try each
/// element of its inputs, or does not run.
std::optional<node_case> small_node(const std::filesystem::path& folder) {
  constexpr std::int64_t most_elements = 200, most_results = 2000;
  auto test = read_case(folder);
  if (!test || !infer_node(test->node)) return std::nullopt;
  for (auto& input : test->node.inputs) {
    if (input.value.empty()) continue;
    if (input.value.element_count() > most_elements) return std::nullopt;
    input.constant = false;
    if (!infer_node(test->node)) input.constant = true;
  }
  const auto types = infer_node(test->node);
  for (const auto& type : *types)
    if (type.dims.element_count() > most_results) return std::nullopt;
  return run_node(test->node) ? std::optional(test->node) : std::nullopt;
}

/// What the operator states about the node, in all but how tight its receptive fields are.
std::string broken_rule(const node_case& node) {
  constexpr std::int64_t any_width = 1 << 30;
  field_findings ignored;
  std::size_t cuts = 0;
  for (const auto& wrong :
       {outputs_are_wrong(node), cost_is_wrong(node), fields_are_wrong(node, any_width, ignored),
        splits_are_wrong(node, cuts)})
    if (!wrong.empty()) return wrong;
  return "";
}

} // namespace

TEST_CASE("every kernel passes ONNX's tests of single nodes") {
  const auto tests = suite_tests("node");
  if (tests.empty()) {
    MESSAGE("skipped: no ONNX tests in ", suite_folder().string());
    return;
  }
  const auto expected_failures = read_expected_failures();
  int passed = 0, out_of_scope = 0;
  for (const auto& folder : tests) {
    const auto test = read_case(folder);
    if (!test) {
      ++out_of_scope;
      continue;
    }
    const auto wrong = run_case(*test);
    passed += wrong.empty();
    // A kernel can be given as constants what a session does not know in time. The suite's test
    // tells when one of the expected failures passes.
    const auto expected = expected_failures.find(suite_name(folder));
    if (expected == expected_failures.end() || expected->second == depends_on_values)
      CHECK_MESSAGE(wrong.empty(), suite_name(folder), ": ", wrong);
  }
  MESSAGE(passed, " passed, ", out_of_scope,
          " of more than one node, or of operators or types that Shoal does not have");
  CHECK(passed > 0);
}

TEST_CASE("what operators state about themselves holds for ONNX's nodes") {
  int tried = 0;
  for (const auto& folder : suite_tests("node")) {
    const auto node = small_node(folder);
    if (!node) continue;
    ++tried;
    const auto wrong = broken_rule(*node);
    CHECK_MESSAGE(wrong.empty(), suite_name(folder), ": ", wrong);
  }
  if (tried == 0) MESSAGE("skipped: no ONNX tests in ", suite_folder().string());
  CHECK((tried > 300 || suite_tests("node").empty()));
}
