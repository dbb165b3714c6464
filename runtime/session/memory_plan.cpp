#include "runtime/session/memory_plan.hpp"

#include "runtime/tensor/storage.hpp"

#include <algorithm>
#include <numeric>

namespace shoal {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + storage_alignment - 1) / storage_alignment * storage_alignment;
}

struct range {
  std::size_t begin, end;
};

/// The start of the tightest gap between `taken` ranges that holds `bytes`; behind all, if none
/// does.
std::size_t tightest_gap(std::vector<range>& taken, std::size_t bytes) {
  std::sort(taken.begin(), taken.end(),
            [](const range& a, const range& b) { return a.begin < b.begin; });
  std::size_t best = SIZE_MAX, best_size = SIZE_MAX, end = 0;
  for (const auto& r : taken) {
    if (r.begin > end && r.begin - end >= bytes && r.begin - end < best_size) {
      best = end;
      best_size = r.begin - end;
    }
    end = std::max(end, r.end);
  }
  return best == SIZE_MAX ? end : best;
}

} // namespace

memory_plan plan_memory(std::span<const buffer_lifetime> buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].bytes > buffers[b].bytes;
  });
  memory_plan plan{std::vector<std::size_t>(buffers.size(), 0), 0};
  std::vector<std::size_t> placed;
  std::vector<range> taken;
  for (const auto b : order) {
    taken.clear();
    for (const auto other : placed)
      if (buffers[other].first <= buffers[b].last && buffers[b].first <= buffers[other].last)
        taken.push_back({plan.offsets[other], plan.offsets[other] + aligned(buffers[other].bytes)});
    plan.offsets[b] = tightest_gap(taken, aligned(buffers[b].bytes));
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[b] + aligned(buffers[b].bytes));
    placed.push_back(b);
  }
  return plan;
}

} // namespace shoal
