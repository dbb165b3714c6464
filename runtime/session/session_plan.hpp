#pragma once

#include "kernels/kernel.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/session/memory_plan.hpp"
#include "runtime/session/session.hpp"
#include "runtime/session/session_layouts.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace shoal {

/// Who provides the memory of a slot.
enum class slot_kind : std::uint8_t { arena, input, output, constant };

inline constexpr std::size_t no_slot = SIZE_MAX;

/// One piece of memory that values of a session live in, one after the other or as views.
struct memory_slot {
  slot_kind kind = slot_kind::arena;
  std::size_t index = 0; ///< which graph input or output; offset in the arena
  buffer_lifetime life;  ///< of an arena slot, in steps
  tensor constant;       ///< of a constant slot
  /// The slot that this one is a part of, for what is written where a Concat would copy it to. The
  /// kind is that of the slot around, and an arena slot's index counts from the arena's start.
  std::size_t within = no_slot;
  std::size_t offset = 0; ///< bytes from the start of the outermost slot around
};

/// A kernel and the slots it works on.
struct session_step {
  std::unique_ptr<kernel> work;
  std::size_t node = 0; ///< index in the graph
  std::string_view kernel_name;
  std::vector<std::size_t> input_slots; ///< `no_slot` where an optional one is left out
  std::vector<std::size_t> output_slots;
  std::vector<const_view> inputs; ///< data filled in when a run knows it
  std::vector<view> outputs;
  std::size_t scratch_slot = no_slot;
};

/// How a graph output is obtained after the last step.
struct session_output {
  tensor_type type;
  layout format = layout::plain;
  std::size_t slot = no_slot; ///< an output slot of its own, or one it shares
};

/// All that compiling a session decides; `session` only executes it.
struct session_plan {
  std::vector<memory_slot> slots;
  std::vector<session_step> steps;
  std::vector<session_output> outputs;
  std::size_t arena_bytes = 0;
};

/// Prepares kernels in order, inserting reorders where layouts differ, and plans the memory.
result<session_plan> plan_session(const bound_graph& bound, const session_layouts& outside,
                                  weight_cache& weights, const session_options& options);

} // namespace shoal
