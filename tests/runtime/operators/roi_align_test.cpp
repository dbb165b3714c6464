#include "tests/runtime/operators/known_values.hpp"

#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case aligned(std::vector<float> rois, std::vector<std::int64_t> images, attributes attrs,
                  int opset = 16) {
  attrs.set("output_height", std::int64_t{2});
  attrs.set("output_width", std::int64_t{2});
  const auto count = static_cast<std::int64_t>(images.size());
  return {.op = "RoiAlign",
          .inputs = {counting({2, 3, 4, 4}), tensor::of<float>({count, 4}, rois),
                     tensor::of<std::int64_t>({count}, images)},
          .attrs = std::move(attrs),
          .opset = opset};
}

std::vector<float> first_values(const tensor& t) {
  return {t.values<float>().begin(), t.values<float>().begin() + 4};
}

} // namespace

TEST_CASE("RoiAlign takes the mean of the samples of each bin") {
  const attributes one = attrs_of({{"sampling_ratio", std::int64_t{1}}});
  // One sample per bin of two by two pixels, in the middle: between four pixels.
  CHECK(first_values(run(aligned({0, 0, 4, 4}, {0}, one))) ==
        std::vector<float>{2.5f, 4.5f, 10.5f, 12.5f});
  // Where pixels lie at whole coordinates, it is a pixel itself.
  CHECK(first_values(run(aligned({0, 0, 4, 4}, {0}, one, 10))) == std::vector<float>{5, 7, 13, 15});
  CHECK(first_values(run(
            aligned({0, 0, 8, 8}, {0},
                    attrs_of({{"sampling_ratio", std::int64_t{1}}, {"spatial_scale", 0.5f}})))) ==
        std::vector<float>{2.5f, 4.5f, 10.5f, 12.5f});
  // As many samples as a bin has pixels: those themselves.
  CHECK(first_values(run(aligned({0, 0, 4, 4}, {1}, {})))[0] == 48 + 2.5f);
  CHECK(first_values(run(aligned({0, 0, 4, 4}, {0}, attrs_of({{"mode", std::string("max")}})))) ==
        std::vector<float>{5, 7, 13, 15});
  // Beyond the image there is nothing.
  CHECK(first_values(run(aligned({40, 40, 44, 44}, {0}, {}))) == std::vector<float>(4, 0));
}

TEST_CASE("RoiAlign refuses images that are not there and endless regions") {
  CHECK(run_node(aligned({0, 0, 1, 1}, {2}, {})).error().message().find("of image 2 of 2") !=
        std::string::npos);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinite, 1e30f})
    CHECK(run_node(aligned({0, 0, bad, bad}, {0}, {})).error().message().find("measure") !=
          std::string::npos);
  CHECK(run_node(aligned({3, 3, 1, 1}, {0}, {})).has_value());
}

TEST_CASE("RoiAlign is cut by regions or by channels") {
  const auto test = aligned({0, 0, 4, 4, 1, 1, 3, 2, 0, 2, 4, 4}, {0, 1, 0}, {});
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
  CHECK(field_is_wrong(test, 1, 0) == "");
  CHECK(split_is_wrong(test, {unsplit, 0, 0}, 0) == "");
  CHECK(split_is_wrong(test, {1, unsplit, unsplit}, 1) == "");
  CHECK(split_is_wrong(test, {0, unsplit, unsplit}, std::nullopt) == "");
}
