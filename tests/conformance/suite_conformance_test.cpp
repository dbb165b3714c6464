#include "runtime/graph/onnx_import.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tensor/tensor_proto.hpp"
#include "tests/conformance/onnx_suite.hpp"
#include "tests/support/node_runner.hpp"

// All of ONNX's tests, as a user's model would run: imported, rewritten, compiled for its inputs.

using namespace shoal;
using namespace shoal::test;

namespace {

/// Operators anywhere in the graph or in the bodies of its nodes.
void collect_operators(const onnx::GraphProto& graph, std::set<std::string>& names) {
  for (const auto& node : graph.node()) {
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    names.insert(standard ? node.op_type() : node.domain() + "." + node.op_type());
    for (const auto& attribute : node.attribute())
      if (attribute.has_g()) collect_operators(attribute.g(), names);
  }
}

/// The tensors prefix_0.pb, ... by the names of `values`.
template <class Values>
std::string read_tensors(const std::filesystem::path& folder, const char* prefix,
                         const Values& values, std::map<std::string, tensor>& tensors) {
  for (int i = 0; i < values.size(); ++i) {
    const auto& value = values.Get(i);
    const auto file = folder / fmt::format("{}_{}.pb", prefix, i);
    if (!std::filesystem::exists(file)) continue; // an input with a value of its own
    if (!value.type().has_tensor_type()) return fmt::format("'{}' is no tensor", value.name());
    const auto t = read_tensor_proto_file(file);
    if (!t) return to_string(t.error());
    // ONNX writes the bits of bfloat16 as an uint16 tensor; the graph tells what they are.
    const bool bits = t->element_type() == dtype::u16 &&
                      value.type().tensor_type().elem_type() == onnx::TensorProto::BFLOAT16;
    tensors[value.name()] = bits ? tensor({dtype::bf16, t->dims()}, t->bytes_owner()) : *t;
  }
  return "";
}

std::string compare(const graph& model, const std::vector<tensor>& outputs,
                    const std::map<std::string, tensor>& expected) {
  if (outputs.size() != expected.size())
    return fmt::format("{} outputs, expected {}", outputs.size(), expected.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& name = model.value(model.outputs()[i]).name;
    const auto found = expected.find(name);
    if (found == expected.end()) return fmt::format("no output '{}' is expected", name);
    const auto &got = outputs[i], &wanted = found->second;
    if (got.type() != wanted.type())
      return fmt::format("output '{}' is {}, expected {}", name, to_string(got.type()),
                         to_string(wanted.type()));
    // ONNX cuts floats off to bfloat16 where we round: one unit of its last place apart.
    const double relative = wanted.element_type() == dtype::bf16 ? 8e-3 : suite_relative;
    if (const auto off = mismatch(got, wanted, relative, suite_absolute); !(off <= 1))
      return fmt::format("output '{}' is {} times the tolerance off", name, off);
  }
  return "";
}

std::string run_data_set(const onnx::GraphProto& proto, const graph& model, session_cache& sessions,
                         workspace& arena, const std::filesystem::path& folder) {
  std::map<std::string, tensor> given, expected;
  if (auto wrong = read_tensors(folder, "input", proto.input(), given); !wrong.empty())
    return wrong;
  if (auto wrong = read_tensors(folder, "output", proto.output(), expected); !wrong.empty())
    return wrong;
  std::vector<tensor> inputs;
  for (const auto id : model.inputs()) {
    const auto found = given.find(model.value(id).name);
    if (found == given.end()) return fmt::format("no input '{}' is given", model.value(id).name);
    inputs.push_back(found->second);
  }
  const auto outputs = sessions.run(inputs, arena);
  return outputs ? compare(model, *outputs, expected) : to_string(outputs.error());
}

/// What is wrong, or nothing.
std::string run_test(const std::filesystem::path& folder, const onnx::ModelProto& proto) {
  const auto imported = import_onnx_file(folder / "model.onnx");
  if (!imported) return to_string(imported.error());
  const auto model = rewrite_for_cpu(imported->model);
  if (!model) return to_string(model.error());
  session_cache sessions(*model, {});
  workspace arena;
  int sets = 0;
  for (;; ++sets) {
    const auto set = folder / fmt::format("test_data_set_{}", sets);
    if (!std::filesystem::exists(set)) break;
    auto wrong = run_data_set(proto.graph(), **model, sessions, arena, set);
    if (!wrong.empty()) return fmt::format("{}: {}", set.filename().string(), wrong);
  }
  return sets > 0 ? "" : "no data to run it on";
}

struct tally {
  int passed = 0, all = 0;
  void add(bool pass) {
    passed += pass;
    ++all;
  }
};

std::string to_string(const std::map<std::string, tally>& tallies) {
  std::string text;
  for (const auto& [name, t] : tallies)
    text += fmt::format("\n  {:<40} {:>3} of {:>3}", name, t.passed, t.all);
  return text;
}

} // namespace

TEST_CASE("ONNX's tests pass in a session, except for those known not to") {
  const auto expected_failures = read_expected_failures();
  std::map<std::string, tally> by_operator, by_part;
  std::map<std::string, int> by_reason;
  tally total;
  for (const std::string part : {"node", "simple", "pytorch-operator", "pytorch-converted"})
    for (const auto& folder : suite_tests(part)) {
      const auto name = suite_name(folder);
      CAPTURE(name);
      const auto proto = read_message<onnx::ModelProto>(folder / "model.onnx");
      REQUIRE(proto);
      const auto wrong = run_test(folder, *proto);
      std::set<std::string> operators;
      collect_operators(proto->graph(), operators);
      for (const auto& op : operators) by_operator[op].add(wrong.empty());
      by_part[part].add(wrong.empty());
      total.add(wrong.empty());
      const auto expected = expected_failures.find(name);
      if (expected == expected_failures.end()) {
        CHECK_MESSAGE(wrong.empty(), name, ": ", wrong);
      } else {
        ++by_reason[expected->second];
        CHECK_MESSAGE(!wrong.empty(), name, " passes now: ", expected->second, " is no reason");
      }
    }
  if (total.all == 0) {
    MESSAGE("skipped: no ONNX tests in ", suite_folder().string());
    return;
  }
  std::string reasons;
  for (const auto& [reason, count] : by_reason)
    reasons += fmt::format("\n  {:>3} {}", count, reason);
  MESSAGE("tests passed, by operator:", to_string(by_operator));
  MESSAGE("known not to pass:", reasons);
  MESSAGE("tests passed: ", total.passed, " of ", total.all, to_string(by_part));
}
