#include "kernels/cpu/attention.hpp"
#include "kernels/cpu/numbered_pieces.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace shoal;

TEST_CASE("Threads of a team around a piece do not change its number") {
  for (const std::int64_t count : {1, 7}) { // one piece and many
    std::vector<int> highest(2, -1);
#pragma omp parallel num_threads(2)
    {
      auto& own = highest[static_cast<std::size_t>(omp_get_thread_num())];
      kernels::numbered_pieces(
          count, 1, [&](std::int64_t, std::int64_t, int thread) { own = std::max(own, thread); });
    }
    CHECK(highest == std::vector<int>{0, 0});
  }
}

TEST_CASE("Attention within a team stays within its memory") {
  const std::int64_t rows = 5, width = 4;
  const attention_operand whole{rows * width, width, width};
  const attention_problem p{1, 1, rows, rows, width, width, whole, whole, whole, 1};
  const std::vector<float> x(static_cast<std::size_t>(rows * width), 0.5f);
  const auto size = static_cast<std::size_t>(kernels::attention_scratch(p, 1));
  std::vector<std::vector<float>> scratch(2, std::vector<float>(2 * size, 77.0f));
  auto y = std::vector<std::vector<float>>(2, x);
#pragma omp parallel num_threads(2)
  {
    const auto n = static_cast<std::size_t>(omp_get_thread_num());
    kernels::attention(p, {}, x.data(), x.data(), x.data(), scratch[n].data(), y[n].data());
  }
  for (std::size_t n = 0; n < 2; ++n)
    CHECK(std::all_of(scratch[n].begin() + static_cast<std::ptrdiff_t>(size), scratch[n].end(),
                      [](float v) { return v == 77.0f; }));
}
