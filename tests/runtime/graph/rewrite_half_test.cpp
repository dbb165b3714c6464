#include "runtime/graph/rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

rewrite_options promotion() {
  rewrite_options options;
  options.promote_half = true;
  return options;
}

constexpr std::int64_t f16_number = 10; ///< of float16 in ONNX

} // namespace

TEST_CASE("half precision inside becomes float32, and inputs and outputs keep their types") {
  for (const auto type : {dtype::f16, dtype::bf16}) {
    const auto before = sketch()
                            .input("x", {2, 3}, type)
                            .constant("c", random_tensor({type, {3}}, 5))
                            .node("Add", {"x", "c"}, {"a"})
                            .node("Mul", {"a", "a"}, {"y"})
                            .output("y", type)
                            .build();
    const auto after = rewrite(before, promotion());
    REQUIRE(after);
    CHECK(operators_of(*after) == "Cast Add Mul Cast");
    CHECK(after->value(after->inputs()[0]).type == type);
    CHECK(after->value(after->outputs()[0]).type == type);
    for (const auto& value : after->values())
      if (value.is_constant()) CHECK(value.constant.element_type() == dtype::f32);
    check_same_outputs(before, *after, type == dtype::f16 ? 2e-3 : 2e-2);
  }
}

TEST_CASE("casts to half precision and attributes that name it become float32") {
  const auto before = sketch()
                          .input("x", {2})
                          .node("Cast", {"x"}, {"a"}, with("to", f16_number))
                          .node("Relu", {"a"}, {"b"})
                          .node("Cast", {"b"}, {"y"}, with("to", std::int64_t{1}))
                          .output("y", dtype::f32)
                          .build();
  auto options = promotion();
  options.remove_identities = false;
  const auto after = rewrite(before, options);
  REQUIRE(after);
  CHECK(operators_of(*after) == "Cast Relu Cast");
  CHECK(after->nodes()[0].attrs.get_int("to", 0) == 1);
  check_same_outputs(before, *after, 2e-3);
}

TEST_CASE("a half constant that is an output, and an input that passes through, keep their type") {
  const auto before = sketch()
                          .input("x", {2}, dtype::f16)
                          .constant("c", random_tensor({dtype::f16, {2}}, 5))
                          .node("Add", {"x", "c"}, {"y"})
                          .output("y", dtype::f16)
                          .output("c")
                          .output("x")
                          .build();
  const auto after = rewrite(before, promotion());
  REQUIRE(after);
  CHECK(operators_of(*after) == "Cast Add Cast");
  check_same_outputs(before, *after, 2e-3);
}

TEST_CASE("a graph without half precision is left as it is") {
  const auto before = sketch().input("x", {2}).node("Relu", {"x"}, {"y"}).output("y").build();
  const auto after = rewrite(before, promotion());
  REQUIRE(after);
  CHECK(text_of(*after) == text_of(before));
}

TEST_CASE("promotion refuses to guess the type of an input or output") {
  const auto untyped_output =
      sketch().input("x", {2}, dtype::f16).node("Relu", {"x"}, {"y"}).output("y").build();
  const auto refused = rewrite(untyped_output, promotion());
  REQUIRE(!refused);
  CHECK(refused.error().message().find("output 'y'") != std::string::npos);

  const std::vector<tensor_type> types(2, {dtype::f16, {2}});
  auto options = promotion();
  options.types = types;
  const auto bound = rewrite(untyped_output, options);
  REQUIRE(bound);
  CHECK(operators_of(*bound) == "Cast Relu Cast");

  graph_builder b(untyped_output);
  b.values[b.inputs[0]].type.reset();
  CHECK_FALSE(rewrite(*std::move(b).build(), promotion()));
}
