#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

TEST_CASE("Det gives the determinant of every matrix of a batch") {
  const auto x = tensor::of<float>({3, 2, 2}, {1, 2, 3, 4, 0, 2, 3, 0, 1, 2, 2, 4});
  CHECK(mismatch(run({.op = "Det", .inputs = {x}}), tensor::of<float>({3}, {-2, -6, 0})) <= 1);
  CHECK(mismatch(run({.op = "Det",
                      .inputs = {tensor::of<double>({3, 3}, {2, -1, 0, -1, 2, -1, 0, -1, 2})}}),
                 tensor::of<double>({}, {4})) <= 1);
  CHECK(identical(run({.op = "Det", .inputs = {tensor::of<float>({2, 0, 0}, {})}}),
                  tensor::of<float>({2}, {1, 1})));
  CHECK(refusal({.op = "Det", .inputs = {counting({2, 3})}}).find("square") != std::string::npos);
  const node_case test{.op = "Det", .inputs = {random_tensor({dtype::f32, {3, 4, 3, 3}}, 1)}};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(split_is_wrong(test, {0}, 0) == "");
  CHECK(split_is_wrong(test, {3}, std::nullopt) == "");
}
