#include "tests/support/model_builder.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

// Operators of com.microsoft that exporters of transformers emit. Larger cases are compared with
// ONNX Runtime by tests/conformance/compare_contrib_with_onnxruntime.py.

namespace {

tensor random_floats(const shape& dims, std::uint64_t seed) {
  return random_tensor({dtype::f32, dims}, seed);
}

node_case microsoft(std::string op, std::vector<node_input> inputs, attributes attrs = {},
                    std::size_t outputs = 1) {
  return {.op = std::move(op),
          .inputs = std::move(inputs),
          .attrs = std::move(attrs),
          .domain = "com.microsoft",
          .opset = 1,
          .outputs = outputs};
}

std::vector<tensor> run(const node_case& test, std::string_view kernel = "reference") {
  const auto outputs = run_node(test, kernel);
  REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message()));
  return *outputs;
}

bool close(const tensor& a, const tensor& b) {
  return mismatch(a, b, 1e-5, 1e-6) <= 1;
}

} // namespace

TEST_CASE("SkipLayerNormalization normalises the sum, and gives it") {
  const auto outputs = run(microsoft(
      "SkipLayerNormalization",
      {tensor::of<float>({1, 2, 2}, {0, 2, 5, 5}), tensor::of<float>({1, 2, 2}, {1, 1, 0, -4}),
       tensor::of<float>({2}, {2, 2}), tensor::of<float>({2}, {10, 20})},
      {}, 4));
  CHECK(close(outputs[0], tensor::of<float>({1, 2, 2}, {8, 22, 12, 18})));
  CHECK(close(outputs[1], tensor::of<float>({1, 2, 1}, {2, 3})));
  CHECK(close(outputs[2], tensor::of<float>({1, 2, 1}, {1, 0.5f})));
  CHECK(close(outputs[3], tensor::of<float>({1, 2, 2}, {1, 3, 5, 1})));
  std::uint64_t seed = 1;
  for (const std::int64_t width : {1, 19, 70})
    for (const auto& skip : {shape{3, 5, width}, shape{1, 5, width}, shape{5, width}}) {
      const node_case test =
          microsoft("SkipLayerNormalization",
                    {random_floats({3, 5, width}, ++seed), random_floats(skip, ++seed),
                     random_floats({width}, ++seed), tensor(), random_floats({width}, ++seed)},
                    attrs_of({{"epsilon", 1e-3f}}), 4);
      CHECK(kernels_disagree(test, 1e-4, 1e-4) == "");
    }
  const auto whole =
      microsoft("SkipLayerNormalization", {random_floats({3, 2, 5}, 1), random_floats({3, 2, 5}, 2),
                                           random_floats({5}, 3), random_floats({5}, 4)});
  CHECK(split_is_wrong(whole, {1, 1, unsplit, unsplit}, 1) == "");
  CHECK(split_is_wrong(whole, {2, 2, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(whole, 0, 1) == "");
  CHECK(field_is_wrong(whole, 1, 0) == "");
}

TEST_CASE("simplified layer normalisation leaves the mean alone") {
  const auto x = tensor::of<float>({1, 2}, {3, 4}), scale = tensor::of<float>({2}, {1, 2});
  const float root = std::sqrt(12.5f);
  const auto expected = tensor::of<float>({1, 2}, {3 / root, 8 / root});
  auto test =
      microsoft("SimplifiedLayerNormalization", {x, scale}, attrs_of({{"epsilon", 0.0f}}), 2);
  CHECK(close(run(test)[0], expected));
  CHECK(close(run(test)[1], tensor::of<float>({1, 1}, {1 / root})));
  test.domain = "";
  test.opset = 17;
  CHECK(close(run(test)[0], expected));
  test.attrs = attrs_of({{"axis", std::int64_t{0}}});
  CHECK(!infer_node(test));
  CHECK(kernels_disagree(microsoft("SkipSimplifiedLayerNormalization",
                                   {random_floats({2, 3, 33}, 1), random_floats({2, 3, 33}, 2),
                                    random_floats({33}, 3), random_floats({33}, 4)},
                                   {}, 4),
                         1e-4, 1e-5) == "");
}

TEST_CASE("EmbedLayerNormalization looks three tables up and counts the mask") {
  const auto ids = tensor::of<std::int32_t>({1, 2}, {1, 0});
  const auto test = [&](tensor words) {
    return microsoft("EmbedLayerNormalization",
                     {std::move(words), tensor::of<std::int32_t>({1, 2}, {0, 1}),
                      tensor::of<float>({2, 2}, {1, 2, 3, 5}),
                      tensor::of<float>({3, 2}, {0, 0, 1, 1, 9, 9}),
                      tensor::of<float>({2, 2}, {0, 2, 0, 4}), tensor::of<float>({2}, {1, 1}),
                      tensor::of<float>({2}, {0, 5}), tensor::of<std::int32_t>({1, 2}, {1, 0})},
                     {}, 3);
  };
  const auto outputs = run(test(ids));
  CHECK(close(outputs[0], tensor::of<float>({1, 2, 2}, {-1, 6, -1, 6})));
  CHECK(identical(outputs[1], tensor::of<std::int32_t>({1}, {1})));
  CHECK(close(outputs[2], tensor::of<float>({1, 2, 2}, {3, 7, 2, 7})));
  CHECK(kernels_disagree(test(ids), 1e-4, 1e-5) == "");
  for (const std::int32_t bad : {-1, 2}) {
    const auto refused = run_node(test(tensor::of<std::int32_t>({1, 2}, {0, bad})));
    REQUIRE(!refused);
    CHECK(refused.error().message().find("is not among the 2 there are") != std::string::npos);
  }
}

TEST_CASE("BiasGelu is Gelu of the sum") {
  const auto x = random_floats({3, 7, 37}, 1), bias = random_floats({37}, 2);
  const auto test = microsoft("BiasGelu", {x, bias});
  CHECK(kernels_disagree(test, 1e-5, 1e-6) == "");
  CHECK(close(run(microsoft("BiasGelu",
                            {tensor::of<float>({2}, {1, -1}), tensor::of<float>({2}, {-1, 2})}))[0],
              tensor::of<float>({2}, {0, 0.8413447f})));
  CHECK(split_is_wrong(test, {1, unsplit}, 1) == "");
  CHECK(split_is_wrong(test, {2, unsplit}, std::nullopt) == "");
}

TEST_CASE("AddLayerNormalization adds as Add does, and normalises rows") {
  const auto node = [](const shape& x, const shape& z, bool shifted, std::size_t outputs) {
    node_case test{"AddLayerNormalization",
                   {random_floats(x, 1), random_floats(z, 2), {random_floats({37}, 3), true}},
                   attrs_of({{"epsilon", 1e-3f}}),
                   "shoal",
                   1,
                   outputs};
    if (shifted) test.inputs.push_back({random_floats({37}, 4), true});
    return test;
  };
  const auto same = node({3, 5, 37}, {3, 5, 37}, true, 2);
  CHECK(kernels_disagree(same, 1e-4, 1e-5) == "");
  CHECK(kernels_disagree(node({3, 5, 37}, {5, 37}, false, 1), 1e-4, 1e-5) == "");
  CHECK(kernels_disagree(node({1, 37}, {3, 5, 1}, true, 2), 1e-4, 1e-5) == "");
  CHECK(split_is_wrong(same, {1, 1, unsplit, unsplit}, 1) == "");
  CHECK(split_is_wrong(node({3, 5, 37}, {5, 37}, true, 2), {0, unsplit, unsplit, unsplit}, 0) ==
        "");
  CHECK(split_is_wrong(same, {2, 2, unsplit, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(same, {0, unsplit, unsplit, unsplit}, std::nullopt) == "");
  for (const std::size_t input : {0, 1}) {
    CHECK(field_is_wrong(same, input, 1) == "");
    CHECK(field_is_wrong(same, input, 2, {.global = true}) == "");
  }
  CHECK(!infer_node(node({3, 5, 36}, {3, 5, 36}, true, 1)));
  CHECK(!infer_node(node({3, 5, 37}, {4, 37}, true, 1)));
}

TEST_CASE("attention of equal scores is the mean of the values seen") {
  const auto zeros = tensor::of<float>({1, 2, 2}, {0, 0, 0, 0});
  const auto values = tensor::of<float>({1, 2, 2}, {1, 2, 3, 6});
  const auto heads = attrs_of({{"num_heads", std::int64_t{2}}});
  CHECK(close(run(microsoft("MultiHeadAttention", {zeros, zeros, values}, heads))[0],
              tensor::of<float>({1, 2, 2}, {2, 4, 2, 4})));
  const auto causal =
      attrs_of({{"num_heads", std::int64_t{1}}, {"unidirectional", std::int64_t{1}}});
  CHECK(close(run(microsoft("MultiHeadAttention", {zeros, zeros, values}, causal))[0],
              tensor::of<float>({1, 2, 2}, {1, 2, 2, 4})));
  CHECK(close(
      run(microsoft("MultiHeadAttention",
                    {zeros, zeros, values, tensor(), tensor::of<std::int32_t>({1, 2}, {0, 1})},
                    heads))[0],
      tensor::of<float>({1, 2, 2}, {3, 6, 3, 6})));
}

TEST_CASE("MultiHeadAttention agrees with its reference on masks of every form") {
  const auto heads = attrs_of({{"num_heads", std::int64_t{3}}});
  const std::vector<node_input> operands{random_floats({2, 5, 21}, 1), random_floats({2, 9, 21}, 2),
                                         random_floats({2, 9, 57}, 3),
                                         random_floats({21 + 21 + 57}, 4)};
  const std::vector<tensor> masks{tensor(), tensor::of<std::int32_t>({2}, {4, 9}),
                                  random_tensor({dtype::i32, {2, 9}}, 5, 0, 2),
                                  random_tensor({dtype::i32, {2, 5, 9}}, 6, 0, 2)};
  for (const auto& mask : masks)
    for (const auto& added : {tensor(), random_floats({1, 3, 5, 9}, 7)}) {
      auto inputs = operands;
      inputs.emplace_back(mask);
      inputs.emplace_back(added);
      CHECK(kernels_disagree(microsoft("MultiHeadAttention", inputs, heads), 1e-4, 1e-5) == "");
    }
  const auto plain =
      microsoft("MultiHeadAttention", {operands[0], operands[1], operands[2]}, heads);
  CHECK(split_is_wrong(plain, {0, 0, 0}, 0) == "");
  CHECK(split_is_wrong(plain, {1, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(plain, 0, 1) == "");
  CHECK(field_is_wrong(plain, 1, 0) == "");
  CHECK(!infer_node(microsoft("MultiHeadAttention", {operands[0], operands[1], operands[2]},
                              attrs_of({{"num_heads", std::int64_t{4}}}))));
}

TEST_CASE("MultiHeadAttention of many queries agrees with its reference, causal or not") {
  const tensor none;
  for (const std::int64_t queries : {3, 4, 17, 33, 70})
    for (const std::int64_t causal : {0, 1})
      for (const std::int64_t keys : {1, 16, 45}) {
        CAPTURE(queries);
        CAPTURE(keys);
        const auto test =
            microsoft("MultiHeadAttention",
                      {random_floats({2, queries, 26}, 1), random_floats({2, keys, 26}, 2),
                       random_floats({2, keys, 70}, 3), none,
                       random_tensor({dtype::i32, {2, queries, keys}}, 6, 0, 4),
                       random_floats({2, 1, queries, keys}, 7)},
                      attrs_of({{"num_heads", std::int64_t{2}}, {"unidirectional", causal}}));
        CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
      }
}

TEST_CASE("Attention projects first") {
  for (const bool constant : {true, false})
    for (const std::int64_t causal : {0, 1}) {
      const auto test =
          microsoft("Attention",
                    {random_floats({2, 6, 10}, 1),
                     {random_floats({10, 36}, 2), constant},
                     random_floats({36}, 3)},
                    attrs_of({{"num_heads", std::int64_t{4}}, {"unidirectional", causal}}));
      CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
      CHECK(split_is_wrong(test, {0, unsplit, unsplit}, 0) == "");
    }
  const auto past = microsoft("Attention",
                              {random_floats({1, 2, 4}, 1), random_floats({4, 12}, 2), tensor(),
                               tensor(), random_floats({2, 1, 1, 2, 4}, 3)},
                              attrs_of({{"num_heads", std::int64_t{1}}}));
  const auto refused = infer_node(past);
  REQUIRE(!refused);
  CHECK(refused.error().message().find("a past is given") != std::string::npos);
}

TEST_CASE("RotaryEmbedding turns pairs by the angle of their position") {
  const auto x = tensor::of<float>({1, 2, 4}, {1, 2, 3, 4, 1, 2, 3, 4});
  const auto cosines = tensor::of<float>({2, 2}, {1, 1, 0, 0});
  const auto sines = tensor::of<float>({2, 2}, {0, 0, 1, 1});
  const auto first = tensor::of<std::int64_t>({1}, {0});
  CHECK(identical(run(microsoft("RotaryEmbedding", {x, first, cosines, sines}))[0],
                  tensor::of<float>({1, 2, 4}, {1, 2, 3, 4, -3, -4, 1, 2})));
  CHECK(identical(run(microsoft("RotaryEmbedding",
                                {x, tensor::of<std::int64_t>({1, 2}, {1, 0}), cosines, sines},
                                attrs_of({{"interleaved", std::int64_t{1}}})))[0],
                  tensor::of<float>({1, 2, 4}, {-2, 1, -4, 3, 1, 2, 3, 4})));
  for (const std::int64_t start : {std::int64_t{1}, std::int64_t{-1}, INT64_MAX})
    CHECK(!run_node(
        microsoft("RotaryEmbedding", {x, tensor::of<std::int64_t>({1}, {start}), cosines, sines})));
  const auto heads =
      microsoft("RotaryEmbedding", {random_floats({3, 2, 2, 6}, 1), first, cosines, sines});
  CHECK(split_is_wrong(heads, {0, unsplit, unsplit, unsplit}, 0) == "");
}

TEST_CASE("MatMulNBits unpacks pairs of weights, the first in the lower half") {
  const auto attrs = [](std::int64_t k, std::int64_t n, std::int64_t block) {
    return attrs_of({{"K", k}, {"N", n}, {"bits", std::int64_t{4}}, {"block_size", block}});
  };
  std::vector<std::uint8_t> pairs(8, 0x88);
  pairs[0] = 0x9a; // 10 and 9
  std::vector<float> ones(16, 1);
  ones[1] = 100;
  CHECK(identical(
      run(microsoft("MatMulNBits",
                    {tensor::of<float>({1, 16}, ones), tensor::of<std::uint8_t>({1, 1, 8}, pairs),
                     tensor::of<float>({1}, {0.5f})},
                    attrs(16, 1, 16)))[0],
      tensor::of<float>({1, 1}, {51})));
  std::uint64_t seed = 5;
  for (const std::int64_t k : {16, 33, 600})
    for (const std::int64_t block : {16, 32, 512}) {
      const std::int64_t n = 7, blocks = (k + block - 1) / block;
      const std::vector<tensor> zeros{
          tensor(), random_tensor({dtype::u8, {n * ((blocks + 1) / 2)}}, ++seed, 0, 256),
          random_tensor({dtype::f32, {n, blocks}}, ++seed, 0, 15)};
      for (const auto& zero : zeros)
        CHECK(kernels_disagree(
                  microsoft("MatMulNBits",
                            {random_floats({2, 3, k}, ++seed),
                             random_tensor({dtype::u8, {n, blocks, block / 2}}, ++seed, 0, 256),
                             random_floats({n * blocks}, ++seed), zero, tensor(),
                             random_floats({n}, ++seed)},
                            attrs(k, n, block)),
                  1e-4, 1e-3) == "");
    }
  CHECK(
      !infer_node(microsoft("MatMulNBits",
                            {random_floats({1, 16}, 1), tensor::of<std::uint8_t>({1, 1, 8}, pairs),
                             tensor::of<float>({1}, {0.5f})},
                            attrs_of({{"K", std::int64_t{16}},
                                      {"N", std::int64_t{1}},
                                      {"bits", std::int64_t{8}},
                                      {"block_size", std::int64_t{16}}}))));
}
