#include "runtime/session/binding.hpp"
#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case constant_case(std::string op, std::vector<tensor> inputs, attributes attrs = {},
                        std::size_t outputs = 1) {
  node_case test;
  test.op = std::move(op);
  test.attrs = std::move(attrs);
  test.outputs = outputs;
  for (auto& in : inputs) test.inputs.emplace_back(std::move(in), true);
  return test;
}

tensor ints(std::vector<std::int64_t> values) {
  return tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

tensor truths(std::vector<bool> values) {
  auto t = *tensor::allocate({dtype::boolean, {static_cast<std::int64_t>(values.size())}});
  for (std::size_t i = 0; i < values.size(); ++i) t.mutable_values<bool>()[i] = values[i];
  return t;
}

} // namespace

TEST_CASE("shapes that depend on values are refused as long as these are not known") {
  const tensor data = tensor::of<float>({2, 2}, {1, 0, 2, 3});
  for (const auto& test :
       {constant_case("NonZero", {data}), constant_case("Unique", {data}, {}, 4),
        constant_case("Compress", {data, truths({true})}),
        constant_case("NonMaxSuppression", {tensor::of<float>({1, 1, 4}, {0, 0, 1, 1}),
                                            tensor::of<float>({1, 1, 1}, {1})})}) {
    CAPTURE(test.op);
    CHECK(infer_node(test));
    auto open = test;
    for (auto& in : open.inputs) in.constant = false;
    const auto types = infer_node(open);
    REQUIRE(!types);
    CHECK(types.error().code() == errc::needs_values);
  }
}

TEST_CASE("Unique finds values, where they are first, and how often they are there") {
  const auto data = ints({2, 1, 1, 3, 4, 3});
  auto out = run_all(constant_case("Unique", {data}, {}, 4));
  CHECK(identical(out[0], ints({1, 2, 3, 4})));
  CHECK(identical(out[1], ints({1, 0, 3, 4})));
  CHECK(identical(out[2], ints({1, 0, 0, 2, 3, 2})));
  CHECK(identical(out[3], ints({2, 1, 2, 1})));
  out = run_all(constant_case("Unique", {data}, attrs_of({{"sorted", std::int64_t{0}}}), 4));
  CHECK(identical(out[0], ints({2, 1, 3, 4})));
  CHECK(identical(out[1], ints({0, 1, 3, 4})));
  CHECK(identical(out[2], ints({0, 1, 1, 2, 3, 2})));
  CHECK(identical(out[3], ints({1, 2, 2, 1})));
}

TEST_CASE("Unique compares whole entries along an axis") {
  const auto data = tensor::of<float>({3, 3}, {1, 0, 1, 2, 3, 2, 5, 4, 5});
  const auto out =
      run_all(constant_case("Unique", {data}, attrs_of({{"axis", std::int64_t{-1}}}), 4));
  CHECK(identical(out[0], tensor::of<float>({3, 2}, {0, 1, 3, 2, 4, 5})));
  CHECK(identical(out[2], ints({1, 0, 1})));
}

TEST_CASE("Compress keeps the entries whose condition holds") {
  const auto data = tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(identical(run_all(constant_case("Compress", {data, truths({false, true, true})},
                                        attrs_of({{"axis", std::int64_t{0}}})))[0],
                  tensor::of<float>({2, 2}, {3, 4, 5, 6})));
  CHECK(identical(run_all(constant_case("Compress", {data, truths({false, true})},
                                        attrs_of({{"axis", std::int64_t{1}}})))[0],
                  tensor::of<float>({3, 1}, {2, 4, 6})));
  CHECK(identical(
      run_all(constant_case("Compress", {data, truths({false, true, false, false, true})}))[0],
      tensor::of<float>({2}, {2, 5})));
  const auto refused = run_node(constant_case("Compress", {data, truths({true, true, true})},
                                              attrs_of({{"axis", std::int64_t{1}}})));
  REQUIRE(!refused);
  CHECK(refused.error().message().find("3 conditions for 2 entries along axis 1") !=
        std::string::npos);
}

TEST_CASE("NonMaxSuppression keeps the best of boxes that overlap") {
  const auto boxes =
      tensor::of<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 1, 11, 0, 10}); // one flipped
  const auto scores = tensor::of<float>({1, 2, 3}, {0.7f, 0.9f, 0.5f, 0.1f, 0.1f, 0.1f});
  const auto most = ints({2});
  const auto half_covered = tensor::of<float>({1}, {0.5f}), least = tensor::of<float>({1}, {0.2f});
  CHECK(identical(
      run_all(constant_case("NonMaxSuppression", {boxes, scores, most, half_covered, least}))[0],
      tensor::of<std::int64_t>({2, 3}, {0, 0, 1, 0, 0, 2})));
  // Equal scores: the first box goes first.
  CHECK(
      identical(run_all(constant_case("NonMaxSuppression", {boxes, scores, most, half_covered}))[0],
                tensor::of<std::int64_t>({4, 3}, {0, 0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 2})));
  // Without a number of boxes there are none.
  CHECK(run_all(constant_case("NonMaxSuppression", {boxes, scores}))[0].dims() == shape{0, 3});
  const auto refused = run_node(constant_case("NonMaxSuppression", {boxes, boxes, most}));
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::invalid_argument);
}
