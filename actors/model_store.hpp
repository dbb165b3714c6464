#pragma once

#include "actors/interfaces.hpp"
#include "actors/messages.hpp"
#include "actors/post_office.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/schedule/instant.hpp"
#include "runtime/store/chunk_store.hpp"
#include "runtime/store/fetch_plan.hpp"
#include "runtime/store/memory_chunk_source.hpp"

#include <atomic>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

namespace shoal {

/// A message of the tensor link that concerns chunks.
struct chunk_delivery {
  enum class kind : std::uint8_t { request, content, missing };

  incarnation from;
  kind what = kind::request;
  digest name;
  storage_ptr bytes; ///< of content
  std::string text;  ///< why it is missing
};

/// Chunks that somebody needs, and who may have them.
struct fetch_order {
  std::vector<wanted_chunk> chunks;
  std::vector<peer_address> providers;
  std::shared_ptr<std::atomic<std::uint64_t>> progress; ///< bytes that are here; may be null
};

/// The content that this process has: `disk` keeps what was fetched, `memory` what was loaded here.
struct process_store {
  std::shared_ptr<chunk_store> disk; ///< null: fetched content stays in memory
  std::shared_ptr<memory_chunk_source> memory;

  bool contains(const wanted_chunk& chunk) const;
  result<storage_ptr> read(const digest& name) const;
  /// The graph of a package all of whose chunks are here; `pin` keeps them. `not_found` when one is
  /// missing or turns out to be corrupt: then every corrupt one is deleted, so that to fetch again
  /// brings what is needed. Reads much: not for an actor's thread.
  result<std::shared_ptr<const graph>> open_graph(const digest& package,
                                                  chunk_store::pin& pin) const;
};

/// How often a package and its weights are fetched until they are all sound: corrupt content in the
/// cache shows when it is used, first the package, then the weights.
inline constexpr int max_fetches = 3;

struct model_store_state {
  static inline const char* name = "model_store";

  struct fetch {
    fetch_plan plan;
    std::unordered_map<incarnation, peer_address> providers;
    std::shared_ptr<std::atomic<std::uint64_t>> progress;
    std::uint64_t fetched = 0;
    caf::typed_response_promise<std::uint64_t> answer;
  };
  std::list<fetch> fetches;
  std::optional<instant> timer;
};

/// Fetches chunks from other processes into `store`, and answers their requests from it. Without
/// a tensor link, only what is here can be had.
model_store_actor::behavior_type
model_store(model_store_actor::stateful_pointer<model_store_state> self, process_store store,
            std::shared_ptr<post_office> office);

/// The tensor link's message as the store's: empty for what is not about chunks, or malformed.
std::shared_ptr<const chunk_delivery> decode_chunk_message(const incarnation& from,
                                                           message&& content);

} // namespace shoal
