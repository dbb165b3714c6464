#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("Max, Min, Sum and Mean combine any number of inputs") {
  const auto a = tensor::of<float>({2}, {1, 6}), b = tensor::of<float>({2}, {3, 2}),
             c = tensor::of<float>({1}, {2});
  const auto run = [&](const char* op) { return (*run_node({.op = op, .inputs = {a, b, c}}))[0]; };
  CHECK(identical(run("Max"), tensor::of<float>({2}, {3, 6})));
  CHECK(identical(run("Min"), tensor::of<float>({2}, {1, 2})));
  CHECK(identical(run("Sum"), tensor::of<float>({2}, {6, 10})));
  CHECK(mismatch(run("Mean"), tensor::of<float>({2}, {2, 10.0f / 3})) <= 1);
  CHECK(identical((*run_node({.op = "Mean", .inputs = {a}}))[0], a));
}

TEST_CASE("many inputs agree with the reference") {
  std::uint64_t seed = 40;
  for (const std::string op : {"Max", "Min", "Sum", "Mean"})
    for (const auto type : {dtype::f32, dtype::f64, dtype::f16}) {
      CAPTURE(op);
      const auto full = [&] { return random_tensor({type, {2, 16, 3, 5}}, ++seed); };
      CHECK(kernels_disagree({.op = op, .inputs = {full(), full(), full()}}) == "");
      CHECK(kernels_disagree({.op = op,
                              .inputs = {random_tensor({type, {16, 1, 1}}, ++seed), full(),
                                         random_tensor({type, {5}}, ++seed)}}) == "");
    }
}

TEST_CASE("an extremum with NaN is NaN, with every kernel") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto a = tensor::of<float>({2}, {nan, 1}), b = tensor::of<float>({2}, {1, nan});
  for (const std::string op : {"Max", "Min"})
    for (const std::string kernel : {"cpu", "reference"}) {
      const auto out = (*run_node({.op = op, .inputs = {a, b}}, kernel))[0];
      CHECK(mismatch(out, tensor::of<float>({2}, {nan, nan})) == 0);
    }
}

TEST_CASE("comparisons and logic answer element by element") {
  const auto a = tensor::of<float>({3}, {1, 2, 3}), b = tensor::of<float>({3}, {3, 2, 1});
  const auto run = [](const char* op, const tensor& x, const tensor& y) {
    return (*run_node({.op = op, .inputs = {x, y}}))[0];
  };
  CHECK(identical(run("Equal", a, b), tensor::of<bool>({3}, {false, true, false})));
  CHECK(identical(run("Greater", a, b), tensor::of<bool>({3}, {false, false, true})));
  CHECK(identical(run("GreaterOrEqual", a, b), tensor::of<bool>({3}, {false, true, true})));
  CHECK(identical(run("Less", a, b), tensor::of<bool>({3}, {true, false, false})));
  CHECK(identical(run("LessOrEqual", a, b), tensor::of<bool>({3}, {true, true, false})));
  const auto p = tensor::of<bool>({4}, {true, true, false, false});
  const auto q = tensor::of<bool>({4}, {true, false, true, false});
  CHECK(identical(run("And", p, q), tensor::of<bool>({4}, {true, false, false, false})));
  CHECK(identical(run("Or", p, q), tensor::of<bool>({4}, {true, true, true, false})));
  CHECK(identical(run("Xor", p, q), tensor::of<bool>({4}, {false, true, true, false})));
  CHECK(identical((*run_node({.op = "Not", .inputs = {q}}))[0],
                  tensor::of<bool>({4}, {false, true, false, true})));
}

TEST_CASE("Where chooses, and broadcasts all three") {
  const auto out = (*run_node(
      {.op = "Where",
       .inputs = {tensor::of<bool>({2, 1}, {true, false}), tensor::of<std::int64_t>({3}, {1, 2, 3}),
                  tensor::of<std::int64_t>({}, {9})}}))[0];
  CHECK(identical(out, tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 9, 9, 9})));
  const node_case test{.op = "Where",
                       .inputs = {random_tensor({dtype::boolean, {4, 1}}, 1),
                                  random_tensor({dtype::f32, {4, 3}}, 2),
                                  random_tensor({dtype::f32, {3}}, 3)}};
  CHECK(split_is_wrong(test, {0, 0, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {unsplit, 1, 0}, 1) == "");
  CHECK(split_is_wrong(test, {unsplit, 1, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 1, 1) == "");
}

TEST_CASE("Mod takes the sign of the divisor for integers, of the dividend with fmod") {
  const auto a = tensor::of<std::int32_t>({4}, {7, -7, 7, -7});
  const auto b = tensor::of<std::int32_t>({4}, {3, 3, -3, -3});
  CHECK(identical((*run_node({.op = "Mod", .inputs = {a, b}}))[0],
                  tensor::of<std::int32_t>({4}, {1, 2, -2, -1})));
  attributes c_like;
  c_like.set("fmod", std::int64_t{1});
  CHECK(identical((*run_node({.op = "Mod", .inputs = {a, b}, .attrs = c_like}))[0],
                  tensor::of<std::int32_t>({4}, {1, -1, 1, -1})));
}

TEST_CASE("Pow takes exponents of another type and PRelu slopes per channel") {
  CHECK(identical((*run_node({.op = "Pow",
                              .inputs = {tensor::of<float>({2}, {2, 3}),
                                         tensor::of<std::int64_t>({2}, {3, 2})}}))[0],
                  tensor::of<float>({2}, {8, 9})));
  const auto in = random_tensor({dtype::f32, {2, 16, 3, 5}}, 4, -2, 2);
  const auto slope = random_tensor({dtype::f32, {16, 1, 1}}, 5);
  CHECK(kernels_disagree({.op = "PRelu", .inputs = {in, slope}}) == "");
  CHECK(!infer_node({.op = "PRelu", .inputs = {slope, in}}));
}
