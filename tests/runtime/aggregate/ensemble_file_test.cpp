#include "runtime/aggregate/combining_graph.hpp"
#include "runtime/aggregate/ensemble_file.hpp"
#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/runtime/aggregate/member_values.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

using namespace shoal;
using namespace shoal::test;

namespace {

struct ensemble_folder {
  temporary_folder folder;

  result<ensemble_description> read(const std::string& text) const {
    const auto path = folder.path() / "trio.json";
    REQUIRE(replace_file(path, std::array{bytes_of(text)}));
    return read_ensemble(path);
  }
  std::string message(const std::string& text) const {
    const auto got = read(text);
    REQUIRE(!got);
    const auto all = to_string(got.error());
    for (const std::string start : {"invalid argument: trio.json: ", "malformed: trio.json: "})
      if (all.starts_with(start)) return all.substr(start.size());
    return all;
  }
  /// The message for an ensemble whose first member, or only output, has these keys too.
  std::string member(const std::string& keys) const {
    return message(fmt::format(
        R"({{"members": [{{{}}}], "outputs": [{{"name": "y", "way": "sum"}}]}})", keys));
  }
  std::string output(const std::string& keys) const {
    return message(
        fmt::format(R"({{"members": [{{"model": "a.onnx"}}], "outputs": [{{{}}}]}})", keys));
  }
};

} // namespace

TEST_CASE("an ensemble file says who takes part and how it is decided") {
  const ensemble_folder f;
  REQUIRE(write_npy(f.folder.path() / "even.npy", tensor::of<float>({2}, {0.5f, 0.5f})));
  const auto got = f.read(R"({
    "members": [
      {"name": "first", "model": "nets/a.onnx", "weight": 2.5, "stages": 3,
       "inputs": {"image": "x"}, "outputs": {"scores": "y"}},
      {"model": "b.onnx"}
    ],
    "outputs": [
      {"name": "scores", "way": "soft_vote", "values": "probabilities", "axis": 1, "labels": true,
       "default": "even.npy"},
      {"name": "boxes", "way": "trimmed_mean", "trim": 0.2, "default": -1},
      {"name": "class", "way": "majority_vote", "values": "labels", "ties": "first_member",
       "default": 0}
    ],
    "quorum": 1, "deadline_ms": 250, "missing": "default"
  })");
  REQUIRE(got);
  CHECK(got->name == "trio");
  const auto& rules = *got->rules;
  REQUIRE(rules.members.size() == 2);
  CHECK(rules.members[0].name == "first");
  CHECK(rules.members[0].weight == 2.5);
  CHECK(rules.members[1].name == "b");
  CHECK(rules.members[1].weight == 1);
  CHECK(got->sources[0].model == f.folder.path() / "nets" / "a.onnx");
  CHECK(got->sources[0].stages == 3);
  CHECK(got->sources[0].inputs.at("image") == "x");
  CHECK(got->sources[0].outputs.at("scores") == "y");
  REQUIRE(rules.outputs.size() == 3);
  CHECK(rules.outputs[0].how.way == combine_way::soft_vote);
  CHECK(rules.outputs[0].how.values == member_values::probabilities);
  CHECK(rules.outputs[0].how.axis == 1);
  CHECK(rules.outputs[0].how.labels);
  CHECK(std::get<tensor>(rules.outputs[0].stand_in).dims() == shape{2});
  CHECK(rules.outputs[1].how.trim == 0.2);
  CHECK(std::get<double>(rules.outputs[1].stand_in) == -1);
  CHECK(rules.outputs[2].how.ties == tie_break::first_member);
  CHECK(rules.quorum == 1);
  CHECK(rules.missing == missing_policy::use_default);
  CHECK(got->deadline == std::chrono::milliseconds(250));
}

TEST_CASE("what a file leaves out: all members, weights of 1, no deadline of its own") {
  const ensemble_folder f;
  const auto got = f.read(
      R"({"members": [{"model": "a.onnx"}, {"model": "b.onnx"}], "outputs": [{"name": "y", "way": "mean"}]})");
  REQUIRE(got);
  CHECK(got->rules->needed() == 2);
  CHECK(got->rules->missing == missing_policy::renormalise);
  CHECK(!got->deadline);
}

TEST_CASE("a combining graph is read with the file") {
  const ensemble_folder f;
  model_builder b("adder", 17, 1);
  b.output(b.node("Add", {b.input("p", dtype::f32, {"N"}), b.input("q", dtype::f32, {"N"})}), "r");
  REQUIRE(export_onnx_file(std::move(b).build(), f.folder.path() / "adder.onnx"));
  const std::string outputs =
      R"("outputs": [{"name": "y", "way": "graph", "graph": "adder.onnx"}])";
  const auto got =
      f.read(R"({"members": [{"model": "a.onnx"}, {"model": "b.onnx"}], )" + outputs + "}");
  REQUIRE(got);
  CHECK(got->rules->outputs[0].how.custom->model().inputs().size() == 2);
  CHECK(f.message(R"({"members": [{"model": "a.onnx"}], )" + outputs + "}") ==
        "output 'y': the combining graph has 2 inputs for 1 members");
  CHECK(f.output(R"("name": "y", "way": "graph", "graph": "none.onnx")")
            .find("not found: trio.json: outputs[0].graph: ") == 0);
}

TEST_CASE("bad ensemble files are refused in words that say where") {
  const ensemble_folder f;
  CHECK(f.message("{").find("not JSON: ") == 0);
  CHECK(f.message("[]") == "expected an object, got array");
  CHECK(f.message("{}") == "key 'members' is missing");
  CHECK(f.message(R"({"members": [], "members": []})") == "key 'members' is there twice");
  CHECK(f.message(R"({"membres": []})") ==
        "unknown key 'membres'; those known are members, outputs, quorum, deadline_ms, missing");
  CHECK(f.message(R"({"members": 3})") == "members: expected an array, got number");
  CHECK(f.message(R"({"members": [], "outputs": []})") == "an ensemble needs at least one member");
  CHECK(f.message(std::string(2000, '[')) ==
        "more than 32 arrays and objects lie within each other");

  CHECK(f.member("") == "members[0]: key 'model' is missing");
  CHECK(f.member(R"("model": "")") == "members[0].model: it is empty");
  CHECK(f.member(R"("model": 7)") == "members[0].model: expected a string, got number");
  CHECK(f.member(R"("model": "/etc/a.onnx")") ==
        "members[0].model: '/etc/a.onnx' is an absolute path, which is refused");
  CHECK(f.member(R"("model": "nets/../../a.onnx")") ==
        "members[0].model: 'nets/../../a.onnx' has '..', which is refused");
  CHECK(f.member(R"("model": "a.onnx", "weight": -1)") ==
        "members[0].weight: expected a weight above 0, got -1");
  CHECK(f.member(R"("model": "a.onnx", "weight": "1")") ==
        "members[0].weight: expected a number, got string");
  CHECK(f.member(R"("model": "a.onnx", "wieght": 1)") ==
        "members[0]: unknown key 'wieght'; those known are name, model, weight, inputs, outputs, "
        "stages");
  CHECK(f.member(R"("model": "a.onnx", "inputs": {"x": 1})") ==
        "members[0].inputs.x: expected a string, got number");
  CHECK(f.member(R"("model": "a.onnx", "stages": 1.5)") ==
        "members[0].stages: expected a whole number in [0, 4096], got number");
  CHECK(f.member(R"("model": "a.onnx"}, {"model": "nets/a.onnx")") ==
        "members[1]: another member is called 'a', too");

  CHECK(f.output(R"("name": "y")") == "outputs[0]: key 'way' is missing");
  CHECK(f.output(R"("name": "y", "way": "average")") ==
        "outputs[0].way: expected one of sum, mean, weighted_mean, log_mean, max, min, median, "
        "trimmed_mean, majority_vote, soft_vote, concatenation, function, graph, got 'average'");
  CHECK(f.output(R"("name": "y", "way": "soft_vote")") == "outputs[0]: key 'values' is missing");
  CHECK(f.output(R"("name": "y", "way": "soft_vote", "values": "labels")") ==
        "outputs[0]: soft_vote needs logits or probabilities, not labels");
  CHECK(f.output(R"("name": "y", "way": "mean", "trim": 0.1)") ==
        "outputs[0].trim: mean has no such option");
  CHECK(f.output(R"("name": "y", "way": "trimmed_mean", "trim": 0.5)") ==
        "outputs[0]: trimmed_mean cuts a share in [0, 0.5) at each end, not 0.5");
  CHECK(f.output(R"("name": "y", "way": "concatenation", "axis": 8)") ==
        "outputs[0].axis: expected a whole number in [-8, 7], got 8");
  CHECK(f.output(R"("name": "y", "way": "function", "function": "nobody's")")
            .find("outputs[0]: no aggregator 'nobody's' is registered; there are ") == 0);
  CHECK(f.output(R"("name": "y", "way": "mean", "default": true)") ==
        "outputs[0].default: expected a number, got boolean");
  CHECK(f.output(R"("name": "y", "way": "mean", "default": "zero.txt")") ==
        "outputs[0].default: expected .npy or .pb");
  const auto top = [&](const std::string& keys) {
    return f.message(
        R"({"members": [{"model": "a.onnx"}], "outputs": [{"name": "y", "way": "sum"}], )" + keys +
        "}");
  };
  CHECK(top(R"("quorum": 0)") == "quorum: expected a whole number in [1, 1], got 0");
  CHECK(top(R"("quorum": 18446744073709551615)") ==
        "quorum: expected a whole number in [1, 1], got 18446744073709551615");
  CHECK(top(R"("deadline_ms": 0)") ==
        "deadline_ms: expected a whole number in [1, 3600000], got 0");
  CHECK(top(R"("missing": "ignore")") ==
        "missing: expected one of renormalise, default, fail, got 'ignore'");
}

TEST_CASE("members do not lie behind links, and a missing or huge file is an error") {
  const ensemble_folder f;
  std::filesystem::create_symlink("/etc", f.folder.path() / "nets");
  CHECK(f.member(R"("model": "nets/a.onnx")") ==
        "members[0].model: 'nets/a.onnx' leads over a link, which is refused");
  CHECK(read_ensemble(f.folder.path() / "none.json").error().code() == errc::not_found);
  CHECK(f.message(std::string((1 << 20) + 1, ' ')).find("resource exhausted: ") == 0);
}

TEST_CASE("whatever a file holds, it is an ensemble that keeps its rules, or an error") {
  const ensemble_folder f;
  const std::string good = R"({"members": [{"model": "a.onnx", "weight": 2, "inputs": {"x": "y"}},
    {"model": "b.onnx"}], "outputs": [{"name": "y", "way": "soft_vote", "values": "logits",
    "axis": -1, "labels": true, "default": 0.5}], "quorum": 1, "deadline_ms": 9,
    "missing": "default"})";
  REQUIRE(f.read(good));
  random_numbers numbers(1);
  int accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    auto text = good;
    for (auto changes = 1 + numbers.below(3); changes > 0; --changes) {
      const auto at =
          static_cast<std::size_t>(numbers.below(static_cast<std::int64_t>(text.size())));
      const auto other =
          static_cast<std::size_t>(numbers.below(static_cast<std::int64_t>(good.size())));
      if (numbers.chance(3))
        text.erase(at, static_cast<std::size_t>(1 + numbers.below(8)));
      else if (numbers.chance(2))
        text.insert(at, good, other, static_cast<std::size_t>(1 + numbers.below(20)));
      else
        text[at] = static_cast<char>(numbers.below(256));
      if (text.empty()) text.push_back('{');
    }
    const auto got = f.read(text);
    if (!got) {
      CHECK(!got.error().message().empty());
      continue;
    }
    ++accepted;
    CHECK(check_rules(*got->rules));
    CHECK(got->sources.size() == got->rules->members.size());
  }
  CHECK(accepted > 0);
  CHECK(accepted < 1000);
}
