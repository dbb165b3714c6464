#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

node_case columns(const shape& dims, std::vector<std::int64_t> image,
                  std::vector<std::int64_t> block, attributes attrs = {}) {
  return {.op = "Col2Im",
          .inputs = {random_tensor({dtype::f32, dims}, 1), constant(image), constant(block)},
          .attrs = std::move(attrs),
          .opset = 18};
}

attribute ints(std::vector<std::int64_t> values) {
  return values;
}

} // namespace

TEST_CASE("Col2Im sums blocks where they overlap") {
  auto test = columns({1, 2, 3}, {4}, {2});
  test.inputs[0].value = counting({1, 2, 3}); // at the places 0, 1, 2: 0 3, 1 4, 2 5
  CHECK(identical(run(test), tensor::of<float>({1, 1, 4}, {0, 4, 6, 5})));
  test.attrs = attrs_of({{"dilations", ints({2})}, {"pads", ints({1, 0})}});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 4}, {1, 2 + 3, 4, 5})));
}

TEST_CASE("Col2Im refuses columns that do not fit the image") {
  CHECK(refusal(columns({1, 2, 4}, {4}, {2})).find("4 columns for 3 places") != std::string::npos);
  CHECK(refusal(columns({1, 3, 3}, {4}, {2})).find("not a multiple") != std::string::npos);
  CHECK(refusal(columns({1, 2, 1}, {4}, {9})) != "");
  CHECK(refusal(columns({1, 2, 3}, {4, 4}, {2})).find("extents of image and block") !=
        std::string::npos);
  CHECK(refusal(columns({1, 2, 3}, {4}, {-2})) != "");
  CHECK(refusal(columns({1, 2, 3}, {4}, {2}, attrs_of({{"strides", ints({0})}})))
            .find("out of range") != std::string::npos);
}

TEST_CASE("Col2Im is cut by images") {
  const auto test = columns({2, 3 * 6, 4 * 2}, {4, 5}, {2, 3},
                            attrs_of({{"pads", ints({1, 0, 0, 0})}, {"strides", ints({1, 2})}}));
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1, {.global = true}) == "");
  CHECK(split_is_wrong(test, {0, unsplit, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {1, unsplit, unsplit}, std::nullopt) == "");
}
