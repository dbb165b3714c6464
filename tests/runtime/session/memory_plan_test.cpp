#include "runtime/session/memory_plan.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace shoal;

TEST_CASE("buffers that live at the same time never overlap, and lives apart share memory") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::vector<buffer_lifetime> buffers(1 + random() % 40);
    std::size_t sum = 0;
    for (auto& b : buffers) {
      b = {random() % 5000, random() % 30, 0};
      b.last = b.first + random() % 5;
      sum += b.bytes + 64;
    }
    const auto plan = plan_memory(buffers);
    CHECK(plan.arena_bytes <= sum);
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      CHECK(plan.offsets[i] % 64 == 0);
      CHECK(plan.offsets[i] + buffers[i].bytes <= plan.arena_bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together =
            buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
        const bool overlap = plan.offsets[i] < plan.offsets[j] + buffers[j].bytes &&
                             plan.offsets[j] < plan.offsets[i] + buffers[i].bytes;
        CHECK_FALSE((together && overlap));
      }
    }
  }
}

TEST_CASE("a chain of equal buffers needs the memory of two") {
  std::vector<buffer_lifetime> chain;
  for (std::size_t i = 0; i < 50; ++i) chain.push_back({4096, i, i + 1});
  CHECK(plan_memory(chain).arena_bytes == 2 * 4096);
}
