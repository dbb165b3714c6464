#include "actors/head.hpp"

#include "actors/caf_error.hpp"
#include "actors/deployer.hpp"
#include "actors/front_desk.hpp"
#include "actors/membership.hpp"
#include "actors/scheduler.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/net/probe.hpp"
#include "runtime/plan/measure_costs.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace shoal {

result<std::unique_ptr<head>> head::start(caf::actor_system& system, process& home,
                                          head_options options) {
  SHOAL_TRY(const auto speed, measure_device(1));
  if (options.membership.version.empty()) options.membership.version = software_version();
  cluster_doors doors;
  doors.head = home.self();
  doors.link_token = home.link_token();
  doors.scheduler = system.spawn(scheduler, home.self().id.low, options.scheduler);
  deployer_equipment equipment;
  equipment.head = home.self();
  equipment.store = home.store();
  equipment.fetcher = home.fetcher();
  equipment.library = home.library();
  equipment.planner = std::make_shared<device_thread>();
  equipment.reference_flops_per_second = speed;
  equipment.pack = options.pack;
  doors.deployer = system.spawn(deployer, std::move(equipment), doors.scheduler);
  doors.membership = system.spawn(membership, std::move(options.membership), doors.scheduler,
                                  doors.deployer, std::move(options.on_member));
  return std::unique_ptr<head>(new head(system, std::move(doors), std::move(options.on_problem)));
}

head::~head() {
  if (port_ != 0) system_.middleman().unpublish(desk_, port_);
  caf::anon_send_exit(desk_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.membership, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.deployer, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.scheduler, caf::exit_reason::user_shutdown);
}

result<std::uint16_t> head::publish(const std::string& host, std::uint16_t port) {
  SHOAL_CHECK(can_listen(host, port)); // CAF would not say why it cannot
  desk_ = system_.spawn(front_desk, doors_);
  // Reusing the address: a head that starts again need not wait until old connections are
  // forgotten.
  constexpr bool reuse = true;
  const gatekeeper gate(system_, on_problem_);
  std::optional<error> failure;
  caf::scoped_actor self(system_);
  self->request(gate.middleman(), std::chrono::seconds(10), caf::publish_atom_v, port,
                caf::actor_cast<caf::strong_actor_ptr>(desk_),
                system_.message_types<front_desk_actor>(), host, reuse)
      .receive([&](std::uint16_t bound) { port_ = bound; },
               [&](const caf::error& e) {
                 failure = fail(errc::io, "cannot listen on {}:{}: {}", host, port,
                                from_caf(e).message());
               });
  if (failure) return *std::move(failure);
  return port_;
}

} // namespace shoal
