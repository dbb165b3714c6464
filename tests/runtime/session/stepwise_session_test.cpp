#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_text.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace shoal;
using namespace shoal::test;

namespace {

std::vector<tensor> run(session_cache& sessions, const std::vector<tensor>& inputs) {
  workspace arena;
  auto outputs = sessions.run(inputs, arena);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : to_string(outputs.error())));
  return *std::move(outputs);
}

error failure(session_cache& sessions, const std::vector<tensor>& inputs) {
  workspace arena;
  const auto outputs = sessions.run(inputs, arena);
  REQUIRE(!outputs);
  return outputs.error();
}

tensor floats(std::vector<float> values) {
  return tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
}

tensor number(std::int64_t value) {
  return tensor::of<std::int64_t>({}, {value});
}

tensor truth(bool value) {
  return tensor::of<bool>({}, {value});
}

/// y = the elements of x + x that are not 0, doubled; n = how many; z = -x.
const char* const picks_elements = R"(
  picks (float[N] x) => (float[M] y, int64[1] n, float[N] z) {
    sum = Add(x, x)
    at = NonZero(sum)
    flat = Constant<value_ints = [-1]>()
    places = Reshape(at, flat)
    picked = Gather(sum, places)
    y = Add(picked, picked)
    n = Shape(picked)
    z = Neg(x)
  })";

const char* const counts_down = R"(
  counts (int64 n, float[2] x) => (float[2] last, float[K,2] all) {
    yes = Constant<value = bool {1}>()
    last, all = Loop(n, yes, x) <body = step (int64 i, bool on, float[2] state)
        => (bool again, float[2] next, float[2] row) {
      again = Identity(yes)
      next = Add(state, x)
      row = Neg(next)
    }>
  })";

const char* const branches = R"(
  branches (bool c, float[N] x) => (float[M] y) {
    twice = Add(x, x)
    y = If(c) <then_branch = yes () => (float[M] a) { a = Concat<axis = 0>(twice, x) },
               else_branch = no () => (float[M] b) { b = Neg(x) }>
  })";

} // namespace

TEST_CASE("shapes may depend on values, and differ from run to run") {
  session_cache sessions(graph_of_text(picks_elements), {});
  for (int round = 0; round < 2; ++round) {
    auto out = run(sessions, {floats({1, 0, 2, 0})});
    CHECK(identical(out[0], floats({4, 8})));
    CHECK(identical(out[1], tensor::of<std::int64_t>({1}, {2})));
    CHECK(identical(out[2], floats({-1, -0.0f, -2, -0.0f})));
    out = run(sessions, {floats({0, 3, 1, 5})});
    CHECK(identical(out[0], floats({12, 4, 20})));
    out = run(sessions, {floats({0, 0})});
    CHECK(out[0].dims() == shape{0});
  }
}

TEST_CASE("what is computed in steps is profiled by node") {
  const auto model = graph_of_text(picks_elements);
  session_cache sessions(model, {});
  workspace arena;
  const std::vector<tensor> inputs{floats({1, 0, 2})};
  const auto compiled = sessions.get(inputs);
  REQUIRE(compiled);
  REQUIRE((*compiled)->run_profiled(inputs, arena));
  std::set<std::string> seen;
  for (const auto& step : (*compiled)->profile())
    seen.insert(std::string(model->nodes()[step.node].definition->name));
  CHECK(seen == std::set<std::string>{"Add", "NonZero", "Gather", "Neg"});
}

TEST_CASE("Loop carries values, joins what each iteration gives, and sees values around it") {
  session_cache sessions(graph_of_text(counts_down), {});
  auto out = run(sessions, {number(3), floats({1, 2})});
  CHECK(identical(out[0], floats({4, 8})));
  CHECK(identical(out[1], tensor::of<float>({3, 2}, {-2, -4, -3, -6, -4, -8})));
  out = run(sessions, {number(0), floats({1, 2})});
  CHECK(identical(out[0], floats({1, 2})));
  CHECK(out[1].type() == tensor_type{dtype::f32, {0, 2}});
}

TEST_CASE("a loop ends when its condition does, and one without an end is ended") {
  const auto model = graph_of_text(R"(
    halves (float x, float most) => (float y, int64 n) {
      yes = Constant<value = bool {1}>()
      zero = Constant<value = int64 {0}>()
      y, n = Loop(none, yes, x, zero) <body = step (int64 i, bool on, float a, int64 k)
          => (bool again, float half, int64 next) {
        two = Constant<value = float {2}>()
        one = Constant<value = int64 {1}>()
        half = Div(a, two)
        again = Greater(half, most)
        next = Add(i, one)
      }>
    })");
  session_cache sessions(model, {});
  const auto out = run(sessions, {tensor::of<float>({}, {10}), tensor::of<float>({}, {1.5f})});
  CHECK(identical(out[0], tensor::of<float>({}, {1.25f})));
  CHECK(identical(out[1], number(3)));
}

TEST_CASE("If runs one of its branches, whose shapes may differ") {
  session_cache sessions(graph_of_text(branches), {});
  CHECK(identical(run(sessions, {truth(true), floats({1, 2})})[0], floats({2, 4, 1, 2})));
  CHECK(identical(run(sessions, {truth(false), floats({1, 2})})[0], floats({-1, -2})));
}

TEST_CASE("a condition is one truth value") {
  session_cache sessions(graph_of_text(R"(
    g (bool[K] c, float[N] x) => (float[N] y) {
      y = If(c) <then_branch = yes () => (float[N] a) { a = Identity(x) },
                 else_branch = no () => (float[N] b) { b = Neg(x) }>
    })"),
                         {});
  CHECK(identical(run(sessions, {tensor::of<bool>({1}, {false}), floats({1})})[0], floats({-1})));
  const auto why = failure(sessions, {tensor::of<bool>({2}, {true, true}), floats({1})});
  CHECK(why.message().find("expected a condition of one bool, got bool[2]") != std::string::npos);
}

TEST_CASE("bodies within bodies see the values of all graphs around") {
  const auto model = graph_of_text(R"(
    nest (int64 n, bool c, float[2] x) => (float[2] y) {
      yes = Constant<value = bool {1}>()
      y = Loop(n, yes, x) <body = step (int64 i, bool on, float[2] state)
          => (bool again, float[2] next) {
        again = Identity(yes)
        next = If(c) <then_branch = add () => (float[2] a) { a = Add(state, x) },
                      else_branch = take () => (float[2] b) { b = Sub(state, x) }>
      }>
    })");
  const auto rewritten = rewrite_for_cpu(model);
  REQUIRE(rewritten);
  for (const auto& code : {model, *rewritten}) {
    session_cache sessions(code, {});
    CHECK(identical(run(sessions, {number(2), truth(true), floats({1, 2})})[0], floats({3, 6})));
    CHECK(identical(run(sessions, {number(3), truth(false), floats({1, 2})})[0], floats({-2, -4})));
  }
}

TEST_CASE("Scan walks along axes, in either direction") {
  const auto model = graph_of_text(R"(
    sums (float[2] first, float[2,3] x) => (float[2] last, float[2,3] all) {
      last, all = Scan<num_scan_inputs = 1, scan_input_axes = [1], scan_input_directions = [1],
                       scan_output_axes = [1], body = step (float[2] state, float[2] column)
          => (float[2] next, float[2] row) {
        next = Add(state, column)
        row = Identity(next)
      }>(first, x)
    })");
  session_cache sessions(model, {});
  const auto out = run(sessions, {floats({0, 100}), tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})});
  CHECK(identical(out[0], floats({6, 115})));
  CHECK(identical(out[1], tensor::of<float>({2, 3}, {3, 5, 6, 106, 111, 115})));
}

TEST_CASE("Scan of opset 8 walks through each sequence of a batch as far as it goes") {
  const auto model = graph_of_text(R"(
    sums (int64[2] lengths, float[2,1] first, float[2,3,1] x) => (float[2,1] last, float[2,3,1] all) {
      last, all = Scan<num_scan_inputs = 1, body = step (float[1] state, float[1] element)
          => (float[1] next, float[1] row) {
        next = Add(state, element)
        row = Identity(next)
      }>(lengths, first, x)
    })",
                                   8);
  session_cache sessions(model, {});
  const auto lengths = [](std::initializer_list<std::int64_t> of) {
    return tensor::of<std::int64_t>({static_cast<std::int64_t>(of.size())}, of);
  };
  const auto first = tensor::of<float>({2, 1}, {0, 100});
  const auto x = tensor::of<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const auto out = run(sessions, {lengths({3, 2}), first, x});
  CHECK(identical(out[0], tensor::of<float>({2, 1}, {6, 109})));
  CHECK(identical(out[1], tensor::of<float>({2, 3, 1}, {1, 3, 6, 104, 109, 0})));
  CHECK(failure(sessions, {lengths({3, 4}), first, x}).message().find("4 long") !=
        std::string::npos);
  CHECK(failure(sessions, {lengths({3, -1}), first, x}).code() == errc::invalid_argument);
}

TEST_CASE("a model with bodies is written and read back as it was") {
  for (const auto* text : {counts_down, branches}) {
    const auto model = graph_of_text(text);
    const auto bytes = export_onnx_bytes(*model);
    REQUIRE(bytes);
    const auto again = import_onnx_bytes(bytes_of(*bytes));
    REQUIRE_MESSAGE(again, (again ? std::string() : to_string(again.error())));
    CHECK(text_of(*again->model) == text_of(*model));
  }
}

TEST_CASE("a failure in a body says which") {
  const auto model = graph_of_text(R"(
    g (bool c, float[N] x, float[M] z) => (float[N] y) {
      y = If(c) <then_branch = yes () => (float[N] a) { a = Add(x, z) },
                 else_branch = no () => (float[N] b) { b = Neg(x) }>
    })");
  session_cache sessions(model, {});
  const auto why = failure(sessions, {truth(true), floats({1, 2}), floats({1, 2, 3})});
  CHECK(why.code() == errc::invalid_argument);
  CHECK(why.message().find("then_branch of node 'If_0'") != std::string::npos);
  CHECK(why.message().find("cannot be broadcast") != std::string::npos);
}

// A constant that depended on a shape was taken for one of another shape at the same address.
TEST_CASE("weights that follow from the shape of an input are those of this shape") {
  model_builder m("scaled", 17, 3);
  const auto x = m.input("x", dtype::f32, {"N", 8});
  const auto rows = m.node("Gather", {m.node("Shape", {x}), m.ints({0})});
  const auto factor = m.node("Cast", {rows}, attrs_of({{"to", std::int64_t{1}}}));
  const auto weights = m.node("Expand", {factor, m.ints({8, 16})});
  m.output(m.node("MatMul", {x, weights}), "y");
  session_cache sessions(std::make_shared<const graph>(std::move(m).build()), {}, 1);
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 3, 2}) {
    CAPTURE(n);
    const tensor ones =
        tensor::of<float>({n, 8}, std::vector<float>(static_cast<std::size_t>(n) * 8, 1));
    const auto out = run(sessions, {ones});
    CHECK(out[0].values<float>()[0] == static_cast<float>(8 * n));
  }
}
