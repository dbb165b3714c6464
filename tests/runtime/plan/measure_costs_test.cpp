#include "runtime/plan/measure_costs.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

TEST_SUITE_BEGIN("plan");

TEST_CASE("shapes that no memory holds are refused before any is taken") {
  model_builder b("negation", 13, 1);
  const auto x = b.input("x", dtype::f32, {"H", "W"});
  b.output(b.node("Neg", {x}), "y");
  const auto model = std::make_shared<const graph>(std::move(b).build());
  for (const std::int64_t side : {1 << 19, 1 << 21}) { // 1 TiB and 16 TiB
    CAPTURE(side);
    const tensor_type image{dtype::f32, {side, side}};
    const auto costs = measure_costs(model, {&image, 1});
    REQUIRE_FALSE(costs);
    CHECK(costs.error().code() == errc::resource_exhausted);
    CHECK(costs.error().message().find("TiB") != std::string::npos);
  }
}

TEST_SUITE_END();
