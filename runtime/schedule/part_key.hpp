#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace shoal {

/// Names a part (tile, batch slice or ensemble member) of a request.
struct part_id {
  std::uint64_t request = 0;
  std::uint32_t part = 0;

  friend auto operator<=>(const part_id&, const part_id&) = default;
};

/// A part under one plan: the key of a task. Any attempt with this key may finish it.
struct task_key {
  part_id id;
  std::uint64_t epoch = 0;

  friend auto operator<=>(const task_key&, const task_key&) = default;
};

/// As in "request 7 part 2".
std::string to_string(const part_id& id);

} // namespace shoal
