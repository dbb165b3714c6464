#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

struct extents {
  std::int64_t steps = 5, batch = 3, inputs = 7, hidden = 9;
};

std::int64_t gates_of(const std::string& op) {
  return op == "LSTM" ? 4 : op == "GRU" ? 3 : 1;
}

/// A node with every operand that the operator has. Weights are constants if `constant`.
node_case recurrent(const std::string& op, const extents& e, const std::string& direction,
                    std::int64_t layout, bool constant = true) {
  const std::int64_t d = direction == "bidirectional" ? 2 : 1, n = e.hidden;
  const auto g = gates_of(op);
  const auto random = [](const shape& dims, std::uint64_t seed, double bound = 1) {
    return random_tensor({dtype::f32, dims}, seed, -bound, bound);
  };
  const double stable = 1 / std::sqrt(static_cast<double>(n)); // else rounding grows step by step
  const shape state = layout == 1 ? shape{e.batch, d, n} : shape{d, e.batch, n};
  node_case test{.op = op, .inputs = {}};
  test.inputs = {
      {random(layout == 1 ? shape{e.batch, e.steps, e.inputs} : shape{e.steps, e.batch, e.inputs},
              1)},
      {random({d, g * n, e.inputs}, 2), constant},
      {random({d, g * n, n}, 3, stable), constant},
      {random({d, 2 * g * n}, 4), constant},
      {tensor()},
      {random(state, 5)}};
  if (op == "LSTM") {
    test.inputs.emplace_back(random(state, 6));
    test.inputs.emplace_back(random({d, 3 * n}, 7), constant);
  }
  test.attrs.set("hidden_size", n);
  test.attrs.set("direction", direction);
  test.attrs.set("layout", layout);
  test.outputs = op == "LSTM" ? 3 : 2;
  return test;
}

tensor lengths(std::vector<std::int32_t> values) {
  return tensor::of<std::int32_t>({static_cast<std::int64_t>(values.size())}, values);
}

tensor floats(const shape& dims, std::vector<float> values) {
  return tensor::of<float>(dims, values);
}

constexpr const char* cells[] = {"RNN", "GRU", "LSTM"};

} // namespace

TEST_CASE("recurrent kernels agree with their reference, whatever the direction and layout") {
  for (const std::string op : cells)
    for (const auto* direction : {"forward", "reverse", "bidirectional"})
      for (const std::int64_t layout : {0, 1})
        for (const bool constant : {true, false}) {
          CAPTURE(op);
          CAPTURE(direction);
          CAPTURE(layout);
          CAPTURE(constant);
          auto test = recurrent(op, {}, direction, layout, constant);
          CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
          test.inputs[4] = {lengths({4, 0, 5})};
          CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
          CHECK(applicable_kernels(test).size() == 2);
        }
}

TEST_CASE("recurrent kernels agree on odd extents") {
  for (const std::string op : cells)
    for (const extents e : {extents{1, 1, 1, 1}, extents{3, 1, 17, 33}, extents{2, 19, 5, 16},
                            extents{11, 2, 64, 130}, extents{2, 70, 3, 100}})
      CHECK(kernels_disagree(recurrent(op, e, "bidirectional", 0), 1e-4, 1e-5) == "");
}

TEST_CASE("recurrent kernels agree on every function of a gate, with its parameters or defaults") {
  for (const std::string function :
       {"Sigmoid", "Tanh", "Relu", "Softsign", "Softplus", "LeakyRelu", "ThresholdedRelu", "Elu",
        "HardSigmoid", "Affine", "ScaledTanh"})
    for (const bool parameters : {false, true}) {
      auto test = recurrent("LSTM", {}, "forward", 0);
      test.attrs.set("activations", std::vector<std::string>{"Sigmoid", function, "Tanh"});
      if (parameters) {
        test.attrs.set("activation_alpha", std::vector<float>{0.7f});
        test.attrs.set("activation_beta", std::vector<float>{0.3f});
      }
      CAPTURE(function);
      CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
    }
}

TEST_CASE("recurrent kernels agree on clipping, coupled gates and late resets") {
  for (const std::string op : cells) {
    auto test = recurrent(op, {}, "bidirectional", 0);
    test.attrs.set("clip", 0.4f);
    test.attrs.set(op == "LSTM" ? "input_forget" : "linear_before_reset", std::int64_t{1});
    if (op == "RNN") test.attrs.erase("linear_before_reset");
    CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
  }
}

TEST_CASE("parameters of gates are used up in the order of the functions that take them") {
  node_case test{
      .op = "RNN",
      .inputs = {floats({1, 1, 1}, {2}), floats({2, 1, 1}, {1, 1}), floats({2, 1, 1}, {0, 0})}};
  test.attrs.set("direction", std::string("bidirectional"));
  test.attrs.set("activations", std::vector<std::string>{"Relu", "affine"});
  test.attrs.set("activation_alpha", std::vector<float>{3});
  test.attrs.set("activation_beta", std::vector<float>{0.5f});
  for (const auto* kernel : {"onednn", "reference"})
    CHECK(identical((*run_node(test, kernel))[0], floats({1, 2, 1, 1}, {2, 6.5f})));
}

TEST_CASE("what lies beyond the end of a sequence is 0, and so is the state of an empty one") {
  // ONNX Runtime gives the same.
  const auto h = floats({1, 2, 1}, {0.3f, 0.4f});
  node_case test{.op = "GRU",
                 .inputs = {floats({3, 2, 1}, {1, 1, 1, 1, 1, 1}),
                            floats({1, 3, 1}, {0.3f, 0.3f, 0.3f}),
                            floats({1, 3, 1}, {0.3f, 0.3f, 0.3f}), tensor(), lengths({0, 2}), h},
                 .outputs = 2};
  for (const auto* kernel : {"onednn", "reference"}) {
    const auto out = *run_node(test, kernel);
    CHECK(mismatch(out[0], floats({3, 1, 2, 1}, {0, 0.38259488f, 0, 0.37091237f, 0, 0})) <= 1);
    CHECK(mismatch(out[1], floats({1, 2, 1}, {0, 0.37091237f})) <= 1);
  }
  for (const std::int32_t wrong : {-1, 4}) {
    test.inputs[4] = {lengths({1, wrong})};
    for (const auto* kernel : {"onednn", "reference"}) {
      const auto out = run_node(test, kernel);
      REQUIRE(!out);
      CHECK(out.error().message().find(fmt::format("sequence 1 is said to have {} steps", wrong)) !=
            std::string::npos);
    }
  }
}

TEST_CASE("LSTM with coupled gates forgets what it does not take in") {
  node_case test{.op = "LSTM",
                 .inputs = {floats({2, 1, 1}, {0, 0}), floats({1, 4, 1}, {0, 0, 0, 0}),
                            floats({1, 4, 1}, {0, 0, 0, 0}),
                            floats({1, 8}, {.3f, .9f, .1f, .7f, 0, 0, 0, 0}), tensor(),
                            floats({1, 1, 1}, {1}), floats({1, 1, 1}, {1})},
                 .outputs = 3};
  test.attrs.set("input_forget", std::int64_t{1});
  for (const auto* kernel : {"onednn", "reference"}) {
    const auto out = *run_node(test, kernel);
    CHECK(mismatch(out[0], floats({2, 1, 1, 1}, {0.4610616f, 0.4186949f})) <= 1);
    CHECK(mismatch(out[2], floats({1, 1, 1}, {0.67601645f})) <= 1);
  }
}

TEST_CASE("recurrent networks compute in all floating types") {
  for (const auto type : {dtype::f64, dtype::f16, dtype::bf16}) {
    auto test = recurrent("LSTM", {}, "forward", 0);
    for (auto& in : test.inputs)
      if (!in.value.empty()) in.value = random_tensor({type, in.value.dims()}, 8);
    const auto out = run_node(test);
    REQUIRE(out.has_value());
    CHECK((*out)[2].type() == tensor_type{type, {1, 3, 9}});
  }
}

TEST_CASE("recurrent networks split along the batch") {
  for (const std::string op : cells) {
    std::vector<int> first(op == "LSTM" ? 8 : 6, unsplit), second = first;
    first[0] = first[5] = 0;
    second[0] = second[5] = 1;
    if (op == "LSTM") first[6] = 0, second[6] = 1;
    const auto batch_first = recurrent(op, {}, "bidirectional", 1);
    CHECK(split_is_wrong(batch_first, first, 0) == "");
    CHECK(field_is_wrong(batch_first, 0, 0) == "");
    CHECK(field_is_wrong(batch_first, 0, 1, {.global = true}) == "");
    auto steps_first = recurrent(op, {}, "bidirectional", 0);
    CHECK(split_is_wrong(steps_first, second, std::nullopt) == ""); // Y and states differ
    steps_first.outputs = 1;
    CHECK(split_is_wrong(steps_first, second, 2) == "");
    CHECK(split_is_wrong(steps_first, first, std::nullopt) == "");
  }
}

TEST_CASE("recurrent networks refuse what does not fit") {
  const auto refused = [](node_case test, std::string_view why) {
    const auto types = infer_node(test);
    REQUIRE(!types);
    CHECK_MESSAGE(types.error().message().find(why) != std::string::npos, types.error().message());
  };
  auto test = recurrent("LSTM", {}, "forward", 0);
  test.attrs.set("hidden_size", std::int64_t{8});
  refused(test, "hidden_size is 8");
  test = recurrent("LSTM", {}, "forward", 0);
  test.inputs[7] = {floats({1, 3}, {1, 2, 3})};
  refused(test, "input 7: expected [1,27], got [1,3]");
  test = recurrent("GRU", {}, "forward", 0);
  test.inputs[1] = {floats({3}, {1, 2, 3})};
  refused(test, "input 1: expected 3 axes");
  test = recurrent("GRU", {}, "forward", 0);
  test.inputs[4] = {floats({3}, {1, 2, 3})};
  refused(test, "input 4: expected int32");
}
