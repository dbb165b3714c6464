#include "actors/node_agent.hpp"

#include "actors/caf_error.hpp"
#include "actors/shard.hpp"
#include "actors/value_specs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/store/package.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = node_agent_actor::stateful_pointer<node_agent_state>;
using equipment_ptr = std::shared_ptr<const node_equipment>;

constexpr auto beat_period = std::chrono::milliseconds(250);
constexpr auto beat_timeout = std::chrono::milliseconds(1000);
constexpr auto register_timeout = std::chrono::seconds(5);
constexpr auto fetch_timeout = std::chrono::minutes(30);
/// A draining node leaves when no part has come for so long: longer than any hop takes.
constexpr auto drain_quiet = std::chrono::milliseconds(1000);

node_agent_state::shard_name name_of(const deploy_order& order) {
  return {order.model, order.epoch, order.stage, order.device};
}

void end(pointer self, const equipment_ptr& my, std::optional<error> reason) {
  if (std::exchange(self->state.ended, true)) return;
  for (const auto& [name, shard] : self->state.shards)
    my->office->close_mailbox(shard.address.slot);
  self->state.shards.clear();
  my->on_end(std::move(reason));
  self->quit();
}

node_offer describe(const equipment_ptr& my) {
  node_offer offer{my->office->self(), my->name, software_version(), {}};
  for (const auto& device : my->devices) offer.devices.push_back(device.offer);
  return offer;
}

node_load measure_load(pointer self, const equipment_ptr& my) {
  node_load load;
  for (const auto& [name, shard] : self->state.shards)
    load.shards.push_back({std::get<0>(name), std::get<1>(name), std::get<2>(name), shard.device,
                           shard.program->parts_done.load(), shard.program->compute_us.load()});
  for (const auto& device : my->devices) {
    load.device_queue.push_back(device.thread->queued());
    load.device_busy_us.push_back(device.thread->busy_us());
  }
  const auto traffic = my->office->traffic();
  load.bytes_sent = traffic.bytes_sent;
  load.bytes_received = traffic.bytes_received;
  return load;
}

void join_cluster(pointer self, const equipment_ptr& my) {
  const auto sent = self->clock().now();
  self->request(my->membership, register_timeout, register_atom_v, describe(my),
                node_agent_actor(self))
      .then(
          [=](std::uint64_t) {
            self->state.lease.emplace(sent);
            self->delayed_send(node_agent_actor(self), beat_period, caf::tick_atom_v);
          },
          [=](const caf::error& e) { end(self, my, from_caf(e).within("joining the cluster")); });
}

void send_beat(pointer self, const equipment_ptr& my) {
  const auto sent = self->clock().now();
  self->request(my->membership, beat_timeout, beat_atom_v, my->office->self().id,
                measure_load(self, my))
      .then([=] { self->state.lease->confirm(sent, self->clock().now()); },
            [=](const caf::error& e) {
              // A late answer is not the end: the lease decides. A refusal is.
              auto why = from_caf(e);
              if (why.code() == errc::stale || why.code() == errc::unavailable)
                end(self, my, std::move(why).within("heartbeat"));
            });
}

/// True when the node has nothing to do, and had nothing to do for a while.
bool drained(pointer self, const equipment_ptr& my) {
  const auto now = self->clock().now();
  std::uint64_t queued = 0;
  for (const auto& device : my->devices) queued += device.thread->queued();
  if (queued > 0)
    self->state.idle_since.reset();
  else if (!self->state.idle_since)
    self->state.idle_since = now;
  return self->state.idle_since && now - *self->state.idle_since >= drain_quiet;
}

void tick(pointer self, const equipment_ptr& my) {
  if (self->state.lease->fenced(self->clock().now()))
    return end(self, my,
               error(errc::stale, "the head has not answered for the length of the lease"));
  if (self->state.draining && drained(self, my)) {
    self->send(my->membership, depart_atom_v, my->office->self().id);
    return end(self, my, std::nullopt);
  }
  send_beat(self, my);
  self->delayed_send(node_agent_actor(self), beat_period, caf::tick_atom_v);
}

result<void> check(pointer self, const equipment_ptr& my, const deploy_order& order) {
  if (self->state.draining) return fail(errc::unavailable, "node '{}' is draining", my->name);
  if (order.device >= my->devices.size())
    return fail(errc::invalid_argument, "node '{}' has {} devices, number {} was asked for",
                my->name, my->devices.size(), order.device);
  const auto memory = my->devices[order.device].offer.memory_bytes;
  std::uint64_t taken = 0;
  for (const auto& [name, shard] : self->state.shards)
    if (shard.device == order.device) taken += shard.memory_bytes;
  if (order.memory_bytes > memory || taken > memory - order.memory_bytes)
    return fail(errc::resource_exhausted,
                "stage {} of '{}' needs {} bytes; '{}' on node '{}' has {}, of which {} are taken",
                order.stage + 1, order.model, order.memory_bytes,
                my->devices[order.device].offer.name, my->name, memory, taken);
  return {};
}

/// Runs on the device's thread: unpacks the stage if need be and compiles it for the usual inputs.
stage_load compile_stage(const node_equipment& my, const deploy_order& order,
                         std::shared_ptr<const graph> stage, workspace&) {
  stage_load load{order, nullptr, std::nullopt};
  const auto attempt = [&]() -> result<void> {
    chunk_store::pin pin;
    if (!stage) {
      auto opened = my.store.open_graph(order.package, pin);
      load.incomplete = !opened && opened.error().code() == errc::not_found;
      SHOAL_TRY(stage, std::move(opened));
    }
    session_options how;
    how.threads = static_cast<int>(my.devices[order.device].offer.threads);
    load.program = std::make_shared<stage_program>(
        stage_name{order.model, order.epoch, order.stage}, stage, how, std::move(pin));
    SHOAL_TRY(const auto types, types_of(order.inputs));
    auto compiled = load.program->sessions.prepare(types);
    // A stage whose shapes depend on values compiles when it sees the first ones.
    if (!compiled && compiled.error().code() != errc::needs_values)
      return std::move(compiled).error();
    return {};
  };
  if (auto done = attempt(); !done)
    load.failure = std::move(done).error().within(
        fmt::format("stage {} of '{}' on node '{}'", order.stage + 1, order.model, my.name));
  return load;
}

void load_stage(pointer self, const equipment_ptr& my, const deploy_order& order,
                std::shared_ptr<const graph> stage) {
  my->devices[order.device].thread->post(
      [my, order, stage, me = node_agent_actor(self)](workspace& arena) {
        auto load = std::make_shared<stage_load>(compile_stage(*my, order, stage, arena));
        caf::anon_send(me, done_atom_v, stage_load_ptr(std::move(load)));
      });
}

void fail_loading(pointer self, const deploy_order& order, const error& why) {
  const auto found = self->state.loading.find(name_of(order));
  if (found == self->state.loading.end()) return;
  auto promise = std::move(found->second.answer);
  self->state.loading.erase(found);
  promise.deliver(to_caf(why));
}

void fail_fetching(pointer self, const deploy_order& order, const caf::error& why) {
  fail_loading(self, order, from_caf(why).within("fetching the weights of a stage"));
}

fetch_order_ptr order_chunks(const deploy_order& order, std::vector<wanted_chunk> chunks) {
  auto fetch = std::make_shared<fetch_order>();
  fetch->chunks = std::move(chunks);
  for (const auto& p : order.providers) fetch->providers.push_back(p.address());
  return fetch;
}

void fetch_weights(pointer self, const equipment_ptr& my, const deploy_order& order,
                   byte_span package) {
  const auto weights = read_manifests(package);
  if (!weights) return fail_loading(self, order, weights.error());
  self->request(my->fetcher, fetch_timeout, fetch_atom_v, order_chunks(order, chunks_of(*weights)))
      .then(
          [=](std::uint64_t bytes) {
            const auto pending = self->state.loading.find(name_of(order));
            if (pending == self->state.loading.end()) return;
            pending->second.fetched_bytes += bytes;
            load_stage(self, my, order, nullptr);
          },
          [=](const caf::error& e) { fail_fetching(self, order, e); });
}

/// The package first, because it says which weights there are; then the weights. What is here
/// already is not fetched.
void fetch_stage(pointer self, const equipment_ptr& my, const deploy_order& order) {
  const auto name = name_of(order);
  if (const auto found = self->state.loading.find(name); found != self->state.loading.end())
    ++found->second.fetches;
  self->request(my->fetcher, fetch_timeout, fetch_atom_v,
                order_chunks(order, {{order.package, order.package_bytes}}))
      .then(
          [=](std::uint64_t bytes) {
            const auto pending = self->state.loading.find(name);
            if (pending == self->state.loading.end()) return;
            pending->second.fetched_bytes += bytes;
            const auto blob = my->store.read(order.package);
            if (blob) return fetch_weights(self, my, order, {(*blob)->data(), (*blob)->size()});
            const bool gone = blob.error().code() == errc::not_found;
            if (gone && pending->second.fetches < max_fetches) return fetch_stage(self, my, order);
            fail_loading(self, order, blob.error());
          },
          [=](const caf::error& e) { fail_fetching(self, order, e); });
}

void loaded(pointer self, const equipment_ptr& my, const stage_load& load) {
  const auto found = self->state.loading.find(name_of(load.order));
  if (found == self->state.loading.end()) return; // retired meanwhile
  if (load.incomplete && found->second.fetches < max_fetches)
    return fetch_stage(self, my, load.order);
  if (load.failure) return fail_loading(self, load.order, *load.failure);
  auto pending = std::move(found->second);
  self->state.loading.erase(found);
  const auto& device = my->devices[load.order.device];
  auto actor = self->spawn(shard, load.program, device.executor, my->office);
  const auto address = my->office->open_mailbox(part_receiver_actor(actor));
  self->state.shards[name_of(load.order)] = {actor, address, load.program, load.order.device,
                                             load.order.memory_bytes};
  pending.answer.deliver(shard_ready{address, pending.fetched_bytes});
}

void retire(pointer self, const equipment_ptr& my, const std::string& model, std::uint64_t first,
            std::uint64_t last) {
  const auto meant = [&](const node_agent_state::shard_name& name) {
    const auto epoch = std::get<1>(name);
    return std::get<0>(name) == model && first <= epoch && epoch <= last;
  };
  std::erase_if(self->state.shards, [&](const auto& entry) {
    if (!meant(entry.first)) return false;
    my->office->close_mailbox(entry.second.address.slot);
    return true;
  });
  std::erase_if(self->state.loading, [&](const auto& entry) {
    if (!meant(entry.first)) return false;
    auto promise = entry.second.answer;
    promise.deliver(to_caf(fail(errc::stale, "the plan of '{}' was given up", model)));
    return true;
  });
}

} // namespace

node_agent_actor::behavior_type node_agent(pointer self, node_equipment equipment) {
  const auto my = std::make_shared<const node_equipment>(std::move(equipment));
  self->monitor(my->membership);
  self->set_down_handler([=](const caf::down_msg&) {
    end(self, my, error(errc::unavailable, "the connection to the head is lost"));
  });
  join_cluster(self, my);
  return {
      [=](deploy_atom, const deploy_order& order) -> caf::result<shard_ready> {
        if (auto ok = check(self, my, order); !ok) return to_caf(ok.error());
        if (self->state.loading.contains(name_of(order)))
          return to_caf(fail(errc::invalid_argument, "stage {} of '{}' is being loaded already",
                             order.stage + 1, order.model));
        auto promise = self->make_response_promise<shard_ready>();
        self->state.loading[name_of(order)].answer = promise;
        if (auto stage = my->library->find(order.package))
          load_stage(self, my, order, std::move(stage));
        else
          fetch_stage(self, my, order);
        return promise;
      },
      [=](done_atom, const stage_load_ptr& load) { loaded(self, my, *load); },
      [=](retire_atom, const std::string& model, std::uint64_t first, std::uint64_t last) {
        retire(self, my, model, first, last);
      },
      [=](drain_atom) {
        self->state.draining = true;
        self->send(my->membership, drain_atom_v, my->office->self().id);
      },
      [=](caf::tick_atom) { tick(self, my); },
  };
}

} // namespace shoal
