#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

float apply(const char* op, float x, attributes attrs = {}, int opset = 17) {
  const auto outputs = run_node({.op = op,
                                 .inputs = {tensor::of<float>({1}, {x})},
                                 .attrs = std::move(attrs),
                                 .opset = opset});
  REQUIRE(outputs);
  return (*outputs)[0].values<float>()[0];
}

} // namespace

TEST_CASE("functions of one element have their textbook values") {
  CHECK(apply("LeakyRelu", -2, attrs_of({{"alpha", 0.1f}})) == doctest::Approx(-0.2));
  CHECK(apply("LeakyRelu", -2) == doctest::Approx(-0.02));
  CHECK(apply("Elu", -1) == doctest::Approx(-0.632121));
  CHECK(apply("Selu", -1) == doctest::Approx(-1.111331));
  CHECK(apply("Celu", -1, attrs_of({{"alpha", 2.0f}})) == doctest::Approx(-0.786939));
  CHECK(apply("ThresholdedRelu", 1) == 0);
  CHECK(apply("ThresholdedRelu", 1.5f) == 1.5f);
  CHECK(apply("Sigmoid", 0) == 0.5f);
  CHECK(apply("HardSigmoid", 1) == doctest::Approx(0.7));
  CHECK(apply("HardSwish", 1) == doctest::Approx(2.0 / 3));
  CHECK(apply("Softplus", 0) == doctest::Approx(0.693147));
  CHECK(apply("Softsign", -3) == doctest::Approx(-0.75));
  CHECK(apply("Gelu", 1, {}, 20) == doctest::Approx(0.841345));
  CHECK(apply("Gelu", 1, attrs_of({{"approximate", std::string("tanh")}}), 20) ==
        doctest::Approx(0.841192));
  CHECK(apply("Mish", 1, {}, 18) == doctest::Approx(0.865098));
  CHECK(apply("Round", 2.5f) == 2);
  CHECK(apply("Round", -1.5f) == -2);
  CHECK(apply("Sign", -7) == -1);
  CHECK(apply("Atanh", 0.5f) == doctest::Approx(0.549306));
}

TEST_CASE("functions of one element agree with the reference on every layout") {
  std::uint64_t seed = 100;
  for (const std::string op :
       {"Relu",    "LeakyRelu",   "Elu",       "Selu",      "Celu",     "ThresholdedRelu",
        "Sigmoid", "HardSigmoid", "HardSwish", "Softplus",  "Softsign", "Tanh",
        "Erf",     "Exp",         "Neg",       "Abs",       "Sign",     "Floor",
        "Ceil",    "Round",       "Mish",      "Reciprocal"})
    for (const shape& dims :
         {shape{2, 16, 5, 7}, shape{1, 3, 9, 9}, shape{70001}, shape{}, shape{0, 4}}) {
      CAPTURE(op);
      CAPTURE(to_string(dims));
      CHECK(
          kernels_disagree(
              {.op = op, .inputs = {random_tensor({dtype::f32, dims}, ++seed, -6, 6)}, .opset = 18},
              2e-6, 1e-6) == "");
    }
  for (const std::string op : {"Log", "Sqrt"})
    CHECK(kernels_disagree(
              {.op = op, .inputs = {random_tensor({dtype::f32, {3, 333}}, 7, 0, 50)}}) == "");
  for (const std::string op : {"Gelu", "FastGelu", "QuickGelu"})
    CHECK(kernels_disagree({.op = op,
                            .inputs = {random_tensor({dtype::f32, {3, 333}}, 8, -5, 5)},
                            .domain = "com.microsoft",
                            .opset = 1}) == "");
}

TEST_CASE("integers stay integers") {
  const auto in = tensor::of<std::int32_t>({3}, {-3, 0, INT32_MIN});
  CHECK(identical((*run_node({.op = "Relu", .inputs = {in}}))[0],
                  tensor::of<std::int32_t>({3}, {0, 0, 0})));
  CHECK(identical((*run_node({.op = "Neg", .inputs = {in}}))[0],
                  tensor::of<std::int32_t>({3}, {3, 0, INT32_MIN})));
  CHECK(identical((*run_node({.op = "Sign", .inputs = {in}}))[0],
                  tensor::of<std::int32_t>({3}, {-1, 0, -1})));
  CHECK(!infer_node({.op = "Exp", .inputs = {in}}));
}

TEST_CASE("Clip takes bounds as attributes, as inputs, or not at all") {
  const auto in = tensor::of<float>({4}, {-5, -1, 1, 5});
  const auto bounded = tensor::of<float>({4}, {-2, -1, 1, 3});
  const auto low = tensor::of<float>({}, {-2}), high = tensor::of<float>({}, {3});
  for (const std::string kernel : {"cpu", "reference"}) {
    const auto run = [&](node_case test) { return (*run_node(test, kernel))[0]; };
    CHECK(identical(run({.op = "Clip",
                         .inputs = {in},
                         .attrs = attrs_of({{"min", -2.0f}, {"max", 3.0f}}),
                         .opset = 6}),
                    bounded));
    CHECK(identical(run({.op = "Clip", .inputs = {in, low, high}}), bounded));
    CHECK(identical(run({.op = "Clip", .inputs = {in, tensor(), high}}),
                    tensor::of<float>({4}, {-5, -1, 1, 3})));
    CHECK(identical(run({.op = "Clip", .inputs = {in}}), in));
  }
  CHECK(identical((*run_node({.op = "Clip",
                              .inputs = {tensor::of<std::int64_t>({3}, {-9, 1, INT64_MAX}),
                                         tensor::of<std::int64_t>({}, {0}),
                                         tensor::of<std::int64_t>({}, {INT64_MAX - 1})}}))[0],
                  tensor::of<std::int64_t>({3}, {0, 1, INT64_MAX - 1})));
  CHECK(kernels_disagree(
            {.op = "Clip",
             .inputs = {random_tensor({dtype::f32, {2, 16, 3, 5}}, 9, -9, 9), low, high}}) == "");
}

TEST_CASE("Cast truncates, saturates and tells zero from the rest") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto cast = [](const tensor& in, std::int64_t to) {
    return (*run_node({.op = "Cast", .inputs = {in}, .attrs = attrs_of({{"to", to}})}))[0];
  };
  const auto floats = tensor::of<float>({6}, {1.9f, -1.9f, 300, -300, nan, 0});
  CHECK(identical(cast(floats, 6), tensor::of<std::int32_t>({6}, {1, -1, 300, -300, 0, 0})));
  CHECK(identical(cast(floats, 3), tensor::of<std::int8_t>({6}, {1, -1, 127, -128, 0, 0})));
  CHECK(identical(cast(floats, 9), tensor::of<bool>({6}, {true, true, true, true, true, false})));
  CHECK(identical(cast(tensor::of<float>({2}, {1e30f, -1e30f}), 7),
                  tensor::of<std::int64_t>({2}, {INT64_MAX, INT64_MIN})));
  CHECK(identical(cast(tensor::of<std::int64_t>({2}, {256 + 7, -1}), 2),
                  tensor::of<std::uint8_t>({2}, {7, 255})));
  CHECK(identical(cast(tensor::of<float>({1}, {1.5f}), 10), tensor::of<half>({1}, {half(1.5f)})));
  CHECK(!infer_node(
      {.op = "Cast", .inputs = {floats}, .attrs = attrs_of({{"to", std::int64_t{8}}})}));
}

TEST_CASE("functions of one element look at one element and split anywhere") {
  const auto in = random_tensor({dtype::f32, {3, 4, 5}}, 5);
  for (const std::string op : {"Tanh", "Relu", "Softplus", "Clip", "Identity", "Dropout"}) {
    CAPTURE(op);
    const node_case test{.op = op, .inputs = {in}};
    CHECK(field_is_wrong(test, 0, 1) == "");
    CHECK(split_is_wrong(test, {2}, 2, 2) == "");
  }
}
