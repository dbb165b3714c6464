#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

node_case add(const shape& a, const shape& b, attributes attrs) {
  return {.op = "Add", .inputs = {counting(a), counting(b)}, .attrs = std::move(attrs), .opset = 6};
}

attributes from(std::int64_t axis) {
  return attrs_of({{"axis", axis}, {"broadcast", std::int64_t{1}}});
}

} // namespace

TEST_CASE("before opset 7 the second input is broadcast from the named axis on") {
  CHECK(identical(run(add({2, 2}, {2}, from(0))), tensor::of<float>({2, 2}, {0, 1, 3, 4})));
  CHECK(identical(run(add({2, 2}, {2}, from(1))), tensor::of<float>({2, 2}, {0, 2, 2, 4})));
  CHECK(identical(run(add({2, 2}, {2}, from(-2))), tensor::of<float>({2, 2}, {0, 1, 3, 4})));
  CHECK(identical(run(add({2, 2}, {}, attrs_of({{"broadcast", std::int64_t{1}}}))),
                  counting({2, 2})));
  CHECK(identical(
      run({.op = "PRelu",
           .inputs = {tensor::of<float>({1, 2, 2}, {-1, 1, -1, 1}), tensor::of<float>({2}, {2, 3})},
           .opset = 6}),
      tensor::of<float>({1, 2, 2}, {-2, 1, -3, 1})));
  CHECK(refusal(add({2, 3}, {3}, from(0))).find("cannot be broadcast") != std::string::npos);
  CHECK(refusal(add({3}, {2, 3}, {})).find("does not fit") != std::string::npos);
  CHECK(refusal(add({2, 1}, {2, 3}, {})).find("cannot be broadcast") != std::string::npos);
  CHECK(refusal(add({2, 3}, {3}, from(2))).find("does not fit") != std::string::npos);
  CHECK(refusal(add({2, 3}, {3}, from(-9))).find("does not fit") != std::string::npos);
}

TEST_CASE("before opset 7 the parts of a sum are sums of parts") {
  const auto test = add({2, 3, 4}, {3}, from(1));
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 2) == "");
  CHECK(field_is_wrong(test, 1, 1) == "");
  CHECK(field_is_wrong(test, 1, 2, {.global = true}) == "");
  CHECK(split_is_wrong(test, {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {1, 0}, 1) == "");
  CHECK(split_is_wrong(test, {1, unsplit}, std::nullopt) == "");
}
