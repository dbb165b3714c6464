#include "runtime/schedule/device_paces.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace shoal;

namespace {

const executor_id a{{0, 1}, 0}, b{{0, 2}, 0}, c{{0, 2}, 1};

void observe(device_paces& paces, std::uint64_t epoch, const std::vector<paced_stage>& stages,
             int parts = 100) {
  for (int i = 0; i < parts; ++i) paces.observe(epoch, stages);
}

using slow = std::map<executor_id, double>;

} // namespace

TEST_CASE("devices are compared with the one of their plan that does best") {
  device_paces paces;
  observe(paces, 1, {{a, 1, 2}, {b, 1, 6}, {c, 2, 4.2}}); // all twice as long: larger batches, say
  CHECK(paces.slowness().at(a) == 1);
  CHECK(paces.slowness().at(b) == doctest::Approx(3));
  CHECK(paces.slowness().at(c) == 1); // 5 % are noise
}

TEST_CASE("stages that share a device count together, and one device alone says nothing") {
  device_paces paces;
  observe(paces, 1, {{a, 1, 1}, {b, 1, 1}, {a, 1, 5}});
  CHECK(paces.slowness() == slow{{a, 3}, {b, 1}});
  device_paces alone;
  observe(alone, 1, {{a, 1, 40}});
  CHECK(alone.slowness() == slow{{a, 1}});
}

TEST_CASE("the first parts, and few parts, say nothing") {
  device_paces paces;
  observe(paces, 1, {{a, 1, 1}, {b, 1, 90}}, 5); // sessions are compiled
  CHECK(paces.slowness().empty());
  observe(paces, 1, {{a, 1, 1}, {b, 1, 2}}, 14);
  CHECK(paces.slowness().empty());
  observe(paces, 1, {{a, 1, 1}, {b, 1, 2}}, 1);
  CHECK(paces.slowness() == slow{{a, 1}, {b, 2}});
}

TEST_CASE("a device that changes is followed, and newer plans count") {
  device_paces paces;
  observe(paces, 1, {{a, 1, 1}, {b, 1, 2}});
  observe(paces, 1, {{a, 1, 1}, {b, 1, 4}});
  CHECK(paces.slowness().at(b) == doctest::Approx(4).epsilon(0.01));
  observe(paces, 2, {{a, 1, 1}, {b, 1, 1}});
  CHECK(paces.slowness().at(b) == 1);
}

TEST_CASE("times of nothing are no times, and old plans go") {
  device_paces paces;
  observe(paces, 1, {{a, 0, 1}, {b, 1, 0}, {c, 1, 1}});
  CHECK(paces.slowness() == slow{{c, 1}});
  for (std::uint64_t epoch = 2; epoch < 70; ++epoch) observe(paces, epoch, {{a, 1, 1}});
  CHECK(paces.slowness() == slow{{a, 1}});
}
