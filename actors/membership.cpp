#include "actors/membership.hpp"

#include "actors/caf_error.hpp"
#include "runtime/base/fail.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = membership_actor::stateful_pointer<membership_state>;

constexpr auto tick_period = std::chrono::milliseconds(100);

node_info info_of(const node_offer& offer) {
  node_info info;
  info.id = offer.process.id;
  info.name = offer.name;
  info.version = offer.version;
  info.endpoint = fmt::format("{}:{}", offer.process.host, offer.process.port);
  for (const auto& d : offer.devices)
    info.devices.push_back(
        {d.name, d.kind, static_cast<double>(d.flops_per_second), d.memory_bytes, d.threads});
  return info;
}

struct audience {
  scheduler_actor scheduler;
  deployer_actor deployer;
  member_observer observer;
};

void announce(pointer self, const audience& to, const std::vector<membership_event>& events) {
  for (const auto& event : events) {
    const auto found = self->state.members.find(event.id);
    if (found == self->state.members.end()) continue;
    const member_news news{static_cast<std::uint8_t>(event.change), found->second.offer};
    self->send(to.scheduler, news_atom_v, news);
    self->send(to.deployer, news_atom_v, news, found->second.agent);
    if (to.observer) to.observer(event.change, found->second.offer);
    if (event.change == membership_change::left || event.change == membership_change::lost)
      self->state.members.erase(found);
  }
}

caf::result<std::uint64_t> join(pointer self, const audience& to, const node_offer& offer,
                                const node_agent_actor& agent, std::uint64_t lease_ms) {
  auto& s = self->state;
  const auto now = self->clock().now();
  // In the table of members first: the event that announces it looks there.
  const bool known = s.members.contains(offer.process.id);
  auto events = s.table->register_node(info_of(offer), now);
  if (!events) return to_caf(events.error());
  if (!known) self->monitor(agent);
  s.members[offer.process.id] = {offer, agent, {}, now};
  announce(self, to, *events);
  return lease_ms;
}

std::vector<node_status> describe(pointer self) {
  std::vector<node_status> all;
  const auto now = self->clock().now();
  for (const auto& [id, member] : self->state.members)
    all.push_back(
        {member.offer, std::string(to_string(self->state.table->state(id))), member.load,
         static_cast<std::uint64_t>(
             std::chrono::duration_cast<std::chrono::milliseconds>(now - member.heard).count())});
  return all;
}

} // namespace

membership_actor::behavior_type membership(pointer self, membership_options options,
                                           scheduler_actor scheduler, deployer_actor deployer,
                                           member_observer observer) {
  const auto lease_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options.lease).count());
  const audience to{scheduler, deployer, std::move(observer)};
  self->state.table.emplace(std::move(options));
  self->delayed_send(membership_actor(self), tick_period, caf::tick_atom_v);
  self->set_down_handler([=](const caf::down_msg& down) {
    for (const auto& [id, member] : self->state.members)
      if (caf::actor_cast<caf::actor_addr>(member.agent) == down.source)
        return announce(self, to, self->state.table->down(id, self->clock().now()));
  });
  return {
      [=](register_atom, const node_offer& offer, const node_agent_actor& agent) {
        return join(self, to, offer, agent, lease_ms);
      },
      [=](beat_atom, const incarnation& id, node_load& load) -> caf::result<void> {
        const auto now = self->clock().now();
        auto events = self->state.table->heartbeat(id, now);
        if (!events) return to_caf(events.error());
        if (const auto found = self->state.members.find(id); found != self->state.members.end()) {
          found->second.load = std::move(load);
          found->second.heard = now;
        }
        announce(self, to, *events);
        return caf::unit;
      },
      [=](drain_atom, const incarnation& id) {
        if (auto events = self->state.table->drain(id)) announce(self, to, *events);
      },
      [=](depart_atom, const incarnation& id) {
        if (auto events = self->state.table->leave(id, self->clock().now()))
          announce(self, to, *events);
      },
      [=](status_atom) { return describe(self); },
      [=](caf::tick_atom) {
        announce(self, to, self->state.table->tick(self->clock().now()));
        self->delayed_send(membership_actor(self), tick_period, caf::tick_atom_v);
      },
  };
}

} // namespace shoal
