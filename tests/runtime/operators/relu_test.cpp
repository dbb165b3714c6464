#include "tests/support/node_runner.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("Relu keeps the positive part with every kernel") {
  const node_case test{.op = "Relu", .inputs = {tensor::of<float>({2, 2}, {-1, 2, 0, -0.5f})}};
  const auto expected = tensor::of<float>({2, 2}, {0, 2, 0, 0});
  REQUIRE(!applicable_kernels(test).empty());
  for (const auto& name : applicable_kernels(test)) {
    CAPTURE(name);
    const auto outputs = run_node(test, name);
    REQUIRE(outputs);
    CHECK(identical((*outputs)[0], expected));
  }
}
