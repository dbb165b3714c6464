#pragma once

#include "actors/messages.hpp"
#include "runtime/base/error.hpp"
#include "runtime/schedule/instant.hpp"
#include "runtime/session/session_layouts.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace shoal {

class stage_program;

/// Where a part goes: the shards in order, then the mailbox that collects results.
struct route {
  std::vector<mailbox> hops;
};

/// A part on its way: the task key, the values that the next hop expects, and what happened so far.
/// One owner at a time; the same object travels through all hops of one process.
struct part {
  part_name name;
  std::shared_ptr<const shoal::route> way; ///< shared by nothing that writes
  std::uint32_t position = 0;              ///< the hop that it is at, or on its way to
  instant deadline;                        ///< by this process's steady clock
  std::vector<tensor> values;
  std::vector<stage_time> trace; ///< one per stage passed
  std::optional<error> failure;  ///< set: it goes straight to the last hop

  // Of the stage it is in; meaningless elsewhere.
  instant arrived;
  std::uint64_t received_bytes = 0; ///< that this hop cost on the network
  std::uint64_t transfer_us = 0;
  std::shared_ptr<stage_program> program; ///< what the executor shall run
  output_layouts leaving{};               ///< what the next hop takes
  caf::actor shard;                       ///< who gets it back

  const mailbox& here() const { return way->hops[position]; }
  const mailbox& last_hop() const { return way->hops.back(); }
};

} // namespace shoal
