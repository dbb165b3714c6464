#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Shapes that meet every way to broadcast: alike, a scalar, per channel, an inner row, both ways.
struct pair_of_shapes {
  shape a, b;
};
const pair_of_shapes pairs[] = {{{2, 16, 5, 7}, {2, 16, 5, 7}},
                                {{3, 17}, {3, 17}},
                                {{2, 16, 5, 7}, {}},
                                {{}, {2, 3}},
                                {{2, 32, 3, 5}, {32, 1, 1}},
                                {{2, 16, 3, 5}, {1, 16, 1, 1}},
                                {{2, 16, 3, 5}, {2, 16, 1, 1}},
                                {{2, 16, 3, 5}, {5}},
                                {{2, 3, 5}, {2, 1, 5}},
                                {{4, 1, 3}, {1, 5, 1}},
                                {{1, 16, 1, 1}, {2, 16, 3, 3}},
                                {{0, 3}, {1, 3}},
                                {{1}, {}},
                                {{200, 333}, {200, 333}},
                                {{300, 3, 100}, {3, 1}}};

tensor positive(dtype type, const shape& dims, std::uint64_t seed) {
  return random_tensor({type, dims}, seed, 1, 4);
}

} // namespace

TEST_CASE("arithmetic gives the reference's values however its inputs are broadcast") {
  std::uint64_t seed = 20;
  for (const std::string op : {"Add", "Sub", "Mul", "Div", "Pow"})
    for (const auto type : {dtype::f32, dtype::f64, dtype::f16, dtype::i32, dtype::i64, dtype::u8})
      for (const auto& [a, b] : pairs) {
        const node_case test{.op = op,
                             .inputs = {positive(type, a, ++seed), positive(type, b, ++seed)}};
        CAPTURE(op);
        CAPTURE(to_string(test.inputs[0].value.type()));
        CAPTURE(to_string(b));
        CHECK(kernels_disagree(test) == "");
      }
}

TEST_CASE("Add, Sub, Mul, Div on small numbers") {
  const auto a = tensor::of<float>({2, 2}, {1, 2, 3, 4}), b = tensor::of<float>({2}, {2, 4});
  const auto run = [&](const char* op) { return (*run_node({.op = op, .inputs = {a, b}}))[0]; };
  CHECK(identical(run("Add"), tensor::of<float>({2, 2}, {3, 6, 5, 8})));
  CHECK(identical(run("Sub"), tensor::of<float>({2, 2}, {-1, -2, 1, 0})));
  CHECK(identical(run("Mul"), tensor::of<float>({2, 2}, {2, 8, 6, 16})));
  CHECK(identical(run("Div"), tensor::of<float>({2, 2}, {0.5, 0.5, 1.5, 1})));
}

TEST_CASE("integers divide towards zero, and by zero not at all") {
  const node_case test{.op = "Div",
                       .inputs = {tensor::of<std::int64_t>({3}, {7, -7, INT64_MIN}),
                                  tensor::of<std::int64_t>({3}, {2, 2, -1})}};
  CHECK(identical((*run_node(test))[0], tensor::of<std::int64_t>({3}, {3, -3, INT64_MIN})));
  const auto failed = run_node(
      {.op = "Div",
       .inputs = {tensor::of<std::int32_t>({1}, {7}), tensor::of<std::int32_t>({1}, {0})}});
  REQUIRE(!failed);
  CHECK(failed.error().message().find("division by zero") != std::string::npos);
}

TEST_CASE("shapes that cannot be broadcast are refused by name") {
  const auto types = infer_node(
      {.op = "Add",
       .inputs = {random_tensor({dtype::f32, {2, 3}}, 1), random_tensor({dtype::f32, {2, 4}}, 2)}});
  REQUIRE(!types);
  CHECK(types.error().message().find("[2,3] and [2,4]") != std::string::npos);
}

TEST_CASE("arithmetic on parts is the part of the arithmetic") {
  const auto full = random_tensor({dtype::f32, {4, 3, 5}}, 1);
  const auto row = random_tensor({dtype::f32, {5}}, 2),
             one = random_tensor({dtype::f32, {1, 5}}, 3);
  CHECK(split_is_wrong({.op = "Add", .inputs = {full, full}}, {1, 1}, 1) == "");
  CHECK(split_is_wrong({.op = "Mul", .inputs = {full, row}}, {0, unsplit}, 0, 3) == "");
  CHECK(split_is_wrong({.op = "Mul", .inputs = {full, row}}, {2, 0}, 2, 2) == "");
  CHECK(split_is_wrong({.op = "Mul", .inputs = {full, row}}, {2, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong({.op = "Sub", .inputs = {full, one}}, {1, unsplit}, 1) == "");
  CHECK(split_is_wrong({.op = "Sub", .inputs = {full, full}}, {1, 0}, std::nullopt) == "");
  CHECK(field_is_wrong({.op = "Sub", .inputs = {full, full}}, 0, 1) == "");
  CHECK(field_is_wrong({.op = "Sub", .inputs = {full, row}}, 1, 2) == "");
  CHECK(field_is_wrong({.op = "Sub", .inputs = {full, one}}, 1, 1) == "");
}
