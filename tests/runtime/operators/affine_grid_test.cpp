#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

node_case grid(const tensor& theta, std::vector<std::int64_t> size, std::int64_t corners = 0) {
  return {.op = "AffineGrid",
          .inputs = {theta, constant(size)},
          .attrs = attrs_of({{"align_corners", corners}}),
          .opset = 20};
}

const auto identity = tensor::of<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0});

} // namespace

TEST_CASE("AffineGrid gives the places that an affine map leads to") {
  CHECK(identical(run(grid(identity, {1, 1, 1, 2})),
                  tensor::of<float>({1, 1, 2, 2}, {-0.5f, 0, 0.5f, 0})));
  CHECK(identical(run(grid(identity, {1, 1, 2, 2}, 1)),
                  tensor::of<float>({1, 2, 2, 2}, {-1, -1, 1, -1, -1, 1, 1, 1})));
  const auto turned = tensor::of<float>({1, 2, 3}, {0, 2, 1, -1, 0, 0});
  CHECK(identical(run(grid(turned, {1, 1, 2, 2}, 1)),
                  tensor::of<float>({1, 2, 2, 2}, {-1, 1, -1, -1, 3, 1, 3, -1})));
  CHECK(refusal(grid(identity, {2, 1, 2, 2})).find("expected theta") != std::string::npos);
  CHECK(refusal(grid(identity, {1, 1, 2})).find("expected theta") != std::string::npos);
}

TEST_CASE("GridSample on the grid of the identity gives the image back") {
  const auto x = counting({1, 2, 3, 4});
  for (const std::int64_t corners : {0, 1})
    CHECK(mismatch(run({.op = "GridSample",
                        .inputs = {x, run(grid(identity, {1, 2, 3, 4}, corners))},
                        .attrs = attrs_of({{"align_corners", corners}}),
                        .opset = 20}),
                   x) <= 1);
  const auto volume = counting({1, 1, 2, 3, 4});
  const auto still = tensor::of<float>({1, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  CHECK(mismatch(run({.op = "GridSample",
                      .inputs = {volume, run(grid(still, {1, 1, 2, 3, 4}))},
                      .opset = 20}),
                 volume) <= 1);
  CHECK(kernels_disagree(grid(still, {1, 1, 2, 3, 4})) == "");
}
