#include "actors/connect.hpp"

#include "actors/caf_error.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/net/probe.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <mutex>

namespace shoal {
namespace {

using clock = std::chrono::steady_clock;

/// Why the connection was hung up on, if it was.
struct hang_up {
  std::mutex mutex;
  std::optional<error> reason;
};

result<front_desk_actor> find_desk(caf::actor_system& system, caf::scoped_actor& self,
                                   const std::string& host, std::uint16_t port,
                                   clock::duration timeout, connection_problem on_problem) {
  // Shared: the connection may outlive this call.
  const auto refused = std::make_shared<hang_up>();
  const gatekeeper gate(system, [refused, on_problem = std::move(on_problem)](
                                    std::string_view remote, const error& reason) {
    if (on_problem) on_problem(remote, reason);
    const std::lock_guard lock(refused->mutex);
    refused->reason = reason;
  });
  std::optional<error> failure;
  front_desk_actor desk;
  // Not remote_actor(): that waits for as long as the other side cares to stay silent.
  self->request(gate.middleman(), timeout, caf::connect_atom_v, host, port)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& who,
              const std::set<std::string>& interface) {
            if (who == nullptr)
              failure =
                  fail(errc::unavailable, "{}:{} offers no actor: is it a Shoal head?", host, port);
            else if (!system.assignable(interface, system.message_types<front_desk_actor>()))
              failure = fail(errc::version_mismatch,
                             "what answers at {}:{} is not a head of this version", host, port);
            else
              desk = caf::actor_cast<front_desk_actor>(who);
          },
          [&](const caf::error& e) {
            const std::lock_guard lock(refused->mutex);
            failure = refused->reason.value_or(from_caf(e))
                          .within(fmt::format("connecting to the head at {}:{}", host, port));
          });
  if (failure) return *std::move(failure);
  return desk;
}

} // namespace

result<cluster_doors> enter_cluster(caf::actor_system& system, const std::string& host,
                                    std::uint16_t port, const std::string& role,
                                    std::chrono::milliseconds timeout,
                                    connection_problem on_problem) {
  const auto deadline = clock::now() + timeout;
  if (auto there = probe(host, port, timeout / 2); !there)
    return std::move(there).error().within("no head can be reached");
  caf::scoped_actor self(system);
  SHOAL_TRY(const auto desk,
            find_desk(system, self, host, port, deadline - clock::now(), std::move(on_problem)));
  std::optional<cluster_doors> doors;
  std::optional<error> failure;
  self->request(desk,
                std::max<clock::duration>(deadline - clock::now(), std::chrono::milliseconds(1)),
                enter_atom_v, entry_ticket{software_version(), role})
      .receive([&](const cluster_doors& given) { doors = given; },
               [&](const caf::error& e) {
                 failure = from_caf(e).within(fmt::format("the head at {}:{}", host, port));
               });
  if (failure) return *std::move(failure);
  return *std::move(doors);
}

} // namespace shoal
