#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ids.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shoal {

struct weight_manifest;

/// A chunk to fetch: its name and the bytes it must have.
struct wanted_chunk {
  digest name;
  std::uint64_t bytes = 0;

  friend bool operator==(const wanted_chunk&, const wanted_chunk&) = default;
};

/// Appends the chunks of `manifest`, which has been checked, to `wanted`.
void append_chunks(const weight_manifest& manifest, std::vector<wanted_chunk>& wanted);

struct fetch_options {
  int max_in_flight_per_peer = 4;
  /// A request without an answer for this long is given to another peer.
  std::chrono::milliseconds timeout{15'000};
  /// Failed attempts (timeouts, errors, wrong content) at one chunk after which the plan fails.
  int max_tries = 3;
  /// Chunks of wrong content after which a peer is asked for nothing more.
  int max_corrupt_per_peer = 2;
  /// Pause before a chunk is asked for again, doubled with every try.
  std::chrono::milliseconds retry_delay{100};
};

/// Decides which chunk to ask of which peer until all are here or it is certain that they cannot be
/// had. Pure: it sends nothing, stores nothing and reads no clock; the caller carries requests out,
/// stores what `on_chunk` accepts, reports what happened and calls `tick` by `next_event`.
///
/// Every chunk is asked of the peer with the fewest failures and the least in flight. A peer that
/// does not have it is not asked again for it; other failures count as tries, and the next try
/// prefers another peer. As long as `tick` is called the plan ends: every request has a timeout,
/// every chunk a number of tries. A plan that fails loses nothing: chunks that are stored are not
/// wanted by the next plan.
class fetch_plan {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using peer_id = incarnation;

  struct request {
    peer_id peer;
    digest chunk;
  };
  enum class verdict {
    accepted,  ///< new and sound: store it
    duplicate, ///< here already: drop it
    corrupt,   ///< not what its name says: dropped, the peer is blamed
    unwanted   ///< never asked for: drop it
  };
  struct progress_report {
    std::size_t chunks_done = 0;
    std::size_t chunks_total = 0;
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
  };

  /// Chunks for which `present` is true count as done and are never asked for.
  fetch_plan(const std::vector<wanted_chunk>& wanted,
             const std::function<bool(const wanted_chunk&)>& present, fetch_options options = {});

  /// A peer that may be asked, again or for the first time; its record starts afresh.
  void add_peer(const peer_id& peer);
  /// Its requests go to others, without blame.
  void on_peer_lost(const peer_id& peer);

  /// What to ask now. Each request counts as in flight from `now` on. With no peers left the plan
  /// fails.
  std::vector<request> next_requests(time_point now);
  verdict on_chunk(const peer_id& peer, const digest& name, byte_span bytes, time_point now);
  void on_failed(const peer_id& peer, const digest& name, const error& why, time_point now);
  /// Handles timeouts.
  void tick(time_point now);
  /// Ends the plan for a reason of the caller's, such as a full disk.
  void abort(error why);

  /// When `tick`, then `next_requests`, should be called next if nothing happens before. Ask after
  /// `next_requests(now)`.
  std::optional<time_point> next_event(time_point now) const;
  bool done() const { return !failure_ && progress_.chunks_done == progress_.chunks_total; }
  const std::optional<error>& failed() const { return failure_; }
  const progress_report& progress() const { return progress_; }

 private:
  struct chunk_state {
    wanted_chunk chunk;
    bool done = false;
    int tries = 0;
    time_point not_before{};
    std::vector<peer_id> lacking; ///< peers that do not have it
    std::vector<peer_id> failing; ///< peers that failed to deliver it
  };
  struct peer_state {
    peer_id id;
    int in_flight = 0;
    int corrupt = 0;
    int failures = 0; ///< since the last chunk it delivered
    bool lost = false;
  };
  struct flight {
    std::size_t chunk;
    std::size_t peer;
    time_point deadline;
  };

  peer_state* find_peer(const peer_id& peer);
  bool usable(const peer_state& peer) const;
  bool may_ask(const peer_state& peer, const chunk_state& chunk) const;
  /// Index of the peer to ask for `chunk` now, if one has room.
  std::optional<std::size_t> choose_peer(const chunk_state& chunk) const;
  /// Ends the request for the chunk at that peer, if there is one.
  bool land(std::size_t chunk, const peer_id& peer);
  void count_try(std::size_t chunk, const peer_id& peer, const error& why, time_point now);
  void fail_if_nobody_is_left();
  void fail_if_nobody_has(const chunk_state& chunk);
  bool has_room(const peer_state& peer) const;
  bool ask(std::size_t chunk, time_point now, std::vector<request>& requests);

  fetch_options options_;
  std::vector<chunk_state> chunks_;
  std::unordered_map<digest, std::size_t> index_;
  std::vector<peer_state> peers_;
  std::vector<flight> flights_; ///< by deadline
  std::size_t next_fresh_ = 0;  ///< no chunk from here on was ever asked for
  std::set<std::size_t> again_; ///< chunks before that which are to be asked for again
  progress_report progress_;
  std::optional<error> failure_;
};

} // namespace shoal
