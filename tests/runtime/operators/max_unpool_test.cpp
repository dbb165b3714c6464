#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

attributes windows(std::int64_t kernel, std::int64_t stride) {
  return attrs_of({{"kernel_shape", std::vector<std::int64_t>{kernel, kernel}},
                   {"strides", std::vector<std::int64_t>{stride, stride}}});
}

std::vector<tensor> pool(const tensor& x, attributes attrs) {
  return run_all({.op = "MaxPool", .inputs = {x}, .attrs = std::move(attrs), .outputs = 2});
}

tensor indices(const std::vector<std::int64_t>& values) {
  return tensor::of<std::int64_t>({1, 1, 2, 2}, values);
}

} // namespace

TEST_CASE("MaxPool tells where in the batch it found the maxima") {
  const auto x = tensor::of<float>({2, 1, 2, 3}, {0, 5, 5, 1, 2, 3, 9, 1, 0, 1, 2, 4});
  const auto found = pool(x, windows(2, 1));
  CHECK(identical(found[0], tensor::of<float>({2, 1, 1, 2}, {5, 5, 9, 4})));
  CHECK(identical(found[1], tensor::of<std::int64_t>({2, 1, 1, 2}, {1, 1, 6, 11})));
  auto by_columns = windows(2, 1);
  by_columns.set("storage_order", std::int64_t{1});
  CHECK(identical(pool(x, by_columns)[1], tensor::of<std::int64_t>({2, 1, 1, 2}, {2, 2, 6, 11})));
  node_case test{.op = "MaxPool", .inputs = {x}, .attrs = windows(2, 1), .outputs = 2};
  CHECK(split_is_wrong(test, {0}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 3) == "");
}

TEST_CASE("MaxUnpool puts maxima back where they were") {
  const auto x = random_tensor({dtype::f32, {2, 3, 6, 8}}, 1, 1, 2);
  const auto pooled = pool(x, windows(2, 2));
  const auto back =
      run({.op = "MaxUnpool", .inputs = {pooled[0], pooled[1]}, .attrs = windows(2, 2)});
  REQUIRE(back.dims() == x.dims());
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < back.values<float>().size(); ++i) {
    const float v = back.values<float>()[i];
    CHECK((v == 0 || v == x.values<float>()[i]));
    kept += v != 0;
  }
  CHECK(kept == pooled[0].element_count());
}

TEST_CASE("MaxUnpool counts in the pooled image and may have a larger output") {
  node_case test{
      .op = "MaxUnpool",
      .inputs = {counting({1, 1, 2, 2}), indices({5, 7, 13, 15}), constant({1, 1, 4, 5})},
      .attrs = windows(2, 2)};
  CHECK(identical(run(test), tensor::of<float>({1, 1, 4, 5}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
                                                              0, 0, 0, 0, 0, 0, 2, 0, 3, 0})));
  CHECK(kernels_disagree(test) == "");
  test.inputs[2] = constant({1, 1, 3, 5});
  CHECK(refusal(test).find("output_shape is [1,1,3,5]") != std::string::npos);
  test.inputs.pop_back();
  test.inputs[1].value = indices({0, 1, 16, 2});
  CHECK(run_node(test).error().message().find("index 16 of 16") != std::string::npos);
  test.inputs[1].value = indices({0, 1, -1, 2});
  CHECK(run_node(test).error().message().find("index -1 of 16") != std::string::npos);
}
