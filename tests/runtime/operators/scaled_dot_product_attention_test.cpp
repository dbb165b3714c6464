#include "tests/runtime/operators/known_values.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor floats(const shape& dims, std::uint64_t seed) {
  return random_tensor({dtype::f32, dims}, seed);
}

/// Queries, keys and values with rows or heads first, as the three letters of `order` say.
node_case attention(std::string_view order, std::vector<node_input> inputs, float scale = 0.3f) {
  node_case test{"ScaledDotProductAttention", std::move(inputs), {}, "shoal", 1};
  const char* const names[] = {"q_rows_first", "k_rows_first", "v_rows_first"};
  for (std::size_t i = 0; i < 3; ++i)
    test.attrs.set(names[i], std::int64_t{order[i] == 'r' ? 1 : 0});
  test.attrs.set("scale", scale);
  return test;
}

shape ordered(char order, std::int64_t batch, std::int64_t heads, std::int64_t rows,
              std::int64_t size) {
  return order == 'r' ? shape{batch, rows, heads, size} : shape{batch, heads, rows, size};
}

} // namespace

TEST_CASE("attention of equal scores is the mean of the values that the mask leaves") {
  const float far = -10000;
  const auto zeros = tensor::of<float>({1, 2, 1, 1}, {0, 0});
  const auto values = tensor::of<float>({1, 2, 1, 2}, {1, 2, 3, 6});
  const auto outputs = run_node(attention("rrr", {zeros, zeros, values}));
  REQUIRE(outputs);
  CHECK(mismatch((*outputs)[0], tensor::of<float>({1, 2, 1, 2}, {2, 4, 2, 4})) <= 1);
  const auto masked = run_node(
      attention("rrr", {zeros, zeros, values, tensor::of<float>({2, 2}, {0, far, far, 0})}));
  REQUIRE(masked);
  CHECK(mismatch((*masked)[0], tensor::of<float>({1, 2, 1, 2}, {1, 2, 3, 6})) <= 1);
}

TEST_CASE("attention agrees with its reference whatever the order of its operands") {
  std::uint64_t seed = 1;
  for (const auto* order : {"rrr", "hhh", "rhh", "hrr"})
    for (const std::int64_t queries : {1, 5, 37, 64})
      for (const std::int64_t keys : {3, 32, 41})
        for (const shape& mask : {shape{2, 1, 1, keys}, shape{2, 3, queries, keys}, shape{1, 1},
                                  shape{queries, keys}, shape{2, 1, queries, 1}}) {
          CAPTURE(order);
          CAPTURE(queries);
          CAPTURE(to_string(mask));
          const auto test = attention(order, {floats(ordered(order[0], 2, 3, queries, 21), ++seed),
                                              floats(ordered(order[1], 2, 3, keys, 21), ++seed),
                                              floats(ordered(order[2], 2, 3, keys, 19), ++seed),
                                              floats(mask, ++seed)});
          CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
        }
}

TEST_CASE("attention broadcasts as MatMul and Add do") {
  const auto expect = [](const node_case& test, const shape& y) {
    const auto types = infer_node(test);
    REQUIRE(types);
    CHECK((*types)[0].dims == y);
    CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
  };
  // One head of keys and values for all queries, and one query batch for all keys.
  expect(
      attention("rrr", {floats({2, 9, 4, 8}, 1), floats({2, 6, 1, 8}, 2), floats({2, 6, 1, 5}, 3)}),
      {2, 9, 4, 5});
  expect(attention("hhh", {floats({7, 8}, 1), floats({3, 2, 6, 8}, 2), floats({2, 6, 5}, 3)}),
         {3, 7, 2, 5});
  // The mask alone has a batch, heads or rows.
  expect(attention("rrr", {floats({1, 1, 1, 8}, 1), floats({1, 6, 1, 8}, 2),
                           floats({1, 6, 1, 5}, 3), floats({2, 3, 4, 6}, 4)}),
         {2, 4, 3, 5});
}

TEST_CASE("attention is cut along the batch alone, which only its own entries move") {
  const auto test = attention("rhr", {floats({3, 5, 2, 6}, 1), floats({3, 2, 4, 6}, 2),
                                      floats({1, 4, 2, 7}, 3), floats({3, 1, 1, 4}, 4)});
  CHECK(split_is_wrong(test, {0, 0, unsplit, 0}, 0) == "");
  CHECK(split_is_wrong(test, {0, 0, unsplit, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {1, unsplit, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 1, 0) == "");
  CHECK(field_is_wrong(test, 1, 1, {.global = true}) == "");
  CHECK(field_is_wrong(test, 2, 0) == ""); // its one entry
  CHECK(field_is_wrong(test, 3, 0) == "");
}

TEST_CASE("attention refuses operands that do not fit") {
  const auto good = [](std::size_t changed, tensor by) {
    std::vector<node_input> inputs{floats({2, 5, 3, 6}, 1), floats({2, 4, 3, 6}, 2),
                                   floats({2, 4, 3, 7}, 3), floats({2, 1, 1, 4}, 4)};
    if (changed < 4) inputs[changed] = std::move(by);
    return infer_node(attention("rrr", std::move(inputs)));
  };
  CHECK(good(4, {}));
  CHECK(!good(0, floats({2, 5, 3, 7}, 1)));
  CHECK(!good(0, floats({3, 5, 3, 6}, 1)));
  CHECK(!good(1, floats({2, 4, 2, 6}, 1)));
  CHECK(!good(2, floats({2, 5, 3, 7}, 1)));
  CHECK(!good(3, floats({2, 1, 2, 4}, 1)));
  CHECK(!good(3, floats({1, 2, 1, 1, 4}, 1)));
  CHECK(!good(0, random_tensor({dtype::f64, {2, 5, 3, 6}}, 1)));
}
