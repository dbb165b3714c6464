#include "actors/process.hpp"

#include "actors/part_codec.hpp"
#include "actors/type_ids.hpp"
#include "runtime/base/machine.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace shoal {

system_config::system_config(int compute_threads, bool network) {
  add_message_types<caf::id_block::shoal>();
  // Sharing wakes an idle pool sooner than stealing does at the median.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads",
      static_cast<std::size_t>(std::max(1, usable_cores() - compute_threads)));
  set("logger.verbosity", caf::atom("quiet"));
  if (!network) return;
  load<caf::io::middleman>();
  set("middleman.heartbeat-interval", caf::timespan(std::chrono::seconds(2)));
  set("middleman.connection-timeout", caf::timespan(std::chrono::seconds(30)));
  set("middleman.enable-automatic-connections", false);
}

process::process(const peer& self)
    : office_(
          std::make_shared<post_office>(self, [] { return std::chrono::steady_clock::now(); })) {
  store_.memory = std::make_shared<memory_chunk_source>();
}

result<std::unique_ptr<process>> process::start(caf::actor_system& system,
                                                const process_options& options) {
  std::unique_ptr<process> p(new process(peer{options.link.id, "", 0}));
  if (options.cache_folder) {
    chunk_store_options disk;
    disk.max_bytes = options.cache_bytes;
    SHOAL_TRY(auto opened, chunk_store::open(*options.cache_folder, disk));
    p->store_.disk = std::move(opened);
  }
  p->link_token_ = options.link.cluster_token;
  if (options.network) SHOAL_CHECK(p->open_link(options));
  auto fetcher = system.spawn(model_store, p->store_, p->office_);
  std::lock_guard lock(p->fetcher_mutex_);
  p->fetcher_ = std::move(fetcher);
  return p;
}

process::~process() {
  if (link_) link_->close();
  office_->close();
  // Its timers would keep it alive for as long as they run.
  caf::anon_send_exit(fetcher_, caf::exit_reason::user_shutdown);
}

result<void> process::open_link(const process_options& options) {
  link_handlers handlers;
  handlers.on_message = [this](const incarnation& from, message&& content) {
    receive(from, std::move(content));
  };
  handlers.on_problem = options.on_problem;
  SHOAL_TRY(auto opened, tcp_link::open(options.link, std::move(handlers)));
  link_ = std::move(opened);
  const auto address = link_->address();
  office_->attach(link_, peer{address.id, address.host, address.port});
  return {};
}

void process::receive(const incarnation& from, message&& content) {
  if (content.kind == static_cast<std::uint16_t>(link_kind::part))
    return office_->deliver(std::move(content));
  auto delivery = decode_chunk_message(from, std::move(content));
  if (!delivery) return; // of a kind this version does not know, or malformed
  std::lock_guard lock(fetcher_mutex_);
  if (fetcher_) caf::anon_send(fetcher_, chunk_atom_v, chunk_delivery_ptr(std::move(delivery)));
}

} // namespace shoal
