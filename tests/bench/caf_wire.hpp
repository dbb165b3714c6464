#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace shoal::bench {

/// As what a tensor's bytes travel in a CAF message: as its elements, which CAF writes and reads
/// one by one, or, at CAF's best, disguised as a string, which it copies in one piece.
enum class caf_payload { floats, text };

/// What the tensor link is measured against: ordinary messages between two actors, over CAF's own
/// wire on loopback. One message object is sent again and again.
class caf_wire {
 public:
  caf_wire();
  ~caf_wire();

  /// Takes messages in and answers each; returns the port. Exits the process when it cannot.
  std::uint16_t serve();
  /// Connects to a process of this machine that serves.
  void connect(std::uint16_t port);
  /// Seconds for `count` messages of `bytes`, until all have been taken in; at most a few of them
  /// are under way at a time, since CAF queues without a bound.
  double send(caf_payload kind, std::size_t bytes, std::uint64_t count);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace shoal::bench
