#pragma once

#include "actors/interfaces.hpp"
#include "actors/model_store.hpp"
#include "actors/post_office.hpp"
#include "actors/stage_library.hpp"
#include "runtime/net/tcp_link.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace shoal {

/// The actor system's settings: as many threads as compute leaves free, heartbeats on, nothing that
/// listens by itself.
class system_config : public caf::actor_system_config {
 public:
  system_config(int compute_threads, bool network);
};

struct process_options {
  bool network = true;
  tcp_link_options link;                             ///< where it listens, limits, codecs
  std::optional<std::filesystem::path> cache_folder; ///< where fetched content is kept, if at all
  std::uint64_t cache_bytes = std::uint64_t{64} << 30;
  /// For the log: connections refused or dropped, and why. May be called from any thread.
  std::function<void(std::string_view remote, const error& reason)> on_problem;
};

/// What every process of a cluster has, whatever its role: an incarnation, a post office, a tensor
/// link, a store of content. Lives as long as anything of its actor system runs.
class process {
 public:
  static result<std::unique_ptr<process>> start(caf::actor_system& system,
                                                const process_options& options);
  /// Closes the link first: nothing comes in any more, sends fail.
  ~process();

  const peer& self() const { return office_->self(); }
  /// What its tensor link shows its peers.
  const std::string& link_token() const { return link_token_; }
  const std::shared_ptr<post_office>& office() const { return office_; }
  const process_store& store() const { return store_; }
  const model_store_actor& fetcher() const { return fetcher_; }
  const std::shared_ptr<stage_library>& library() const { return library_; }

 private:
  explicit process(const peer& self);
  result<void> open_link(const process_options& options);
  void receive(const incarnation& from, message&& content);

  std::shared_ptr<post_office> office_;
  std::string link_token_;
  std::shared_ptr<tcp_link> link_;
  process_store store_;
  model_store_actor fetcher_;
  std::mutex fetcher_mutex_; ///< the link may deliver before the fetcher is there
  std::shared_ptr<stage_library> library_ = std::make_shared<stage_library>();
};

} // namespace shoal
