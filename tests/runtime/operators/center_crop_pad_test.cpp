#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

node_case cropped(const shape& dims, std::vector<std::int64_t> extents,
                  std::vector<std::int64_t> axes = {}) {
  node_case test{.op = "CenterCropPad", .inputs = {counting(dims), constant(extents)}, .opset = 18};
  if (!axes.empty()) test.attrs.set("axes", axes);
  return test;
}

} // namespace

TEST_CASE("CenterCropPad keeps the middle; an odd element goes or comes at the end") {
  CHECK(identical(run(cropped({5}, {3})), tensor::of<float>({3}, {1, 2, 3})));
  CHECK(identical(run(cropped({5}, {2})), tensor::of<float>({2}, {1, 2})));
  CHECK(identical(run(cropped({3}, {6})), tensor::of<float>({6}, {0, 0, 1, 2, 0, 0})));
  CHECK(identical(run(cropped({2, 2}, {1, 4})), tensor::of<float>({1, 4}, {0, 0, 1, 0})));
  CHECK(identical(run(cropped({2, 3}, {1}, {-1})), tensor::of<float>({2, 1}, {1, 4})));
  CHECK(refusal(cropped({2, 3}, {1})).find("1 extents for 2 axes") != std::string::npos);
  CHECK(refusal(cropped({2}, {-1})) != "");
  CHECK(refusal(cropped({2}, {INT64_MAX})).find("absurd") != std::string::npos);
}

TEST_CASE("CenterCropPad states what it reads and how it can be cut") {
  for (const auto& extents : {std::vector<std::int64_t>{7, 2}, {2, 9}, {5, 6}}) {
    CHECK(kernels_disagree(cropped({5, 6}, extents)) == "");
    CHECK(field_is_wrong(cropped({5, 6}, extents), 0, 0) == "");
    CHECK(field_is_wrong(cropped({5, 6}, extents), 0, 1) == "");
  }
  CHECK(split_is_wrong(cropped({4, 5}, {3}, {1}), {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(cropped({4, 5}, {3}, {-1}), {1, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(cropped({4, 5}, {4, 3}), {0, unsplit}, std::nullopt) == "");
}
