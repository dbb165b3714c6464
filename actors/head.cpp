#include "actors/head.hpp"

#include "actors/caf_error.hpp"
#include "actors/deployer.hpp"
#include "actors/front_desk.hpp"
#include "actors/membership.hpp"
#include "actors/scheduler.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/plan/measure_costs.hpp"

#include <caf/io/middleman.hpp>
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
  doors.membership =
      system.spawn(membership, std::move(options.membership), doors.scheduler, doors.deployer);
  return std::unique_ptr<head>(new head(system, std::move(doors)));
}

head::~head() {
  if (port_ != 0) system_.middleman().unpublish(desk_, port_);
  caf::anon_send_exit(desk_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.membership, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.deployer, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(doors_.scheduler, caf::exit_reason::user_shutdown);
}

result<std::uint16_t> head::publish(const std::string& host, std::uint16_t port) {
  desk_ = system_.spawn(front_desk, doors_);
  // Reuse: a head that was killed leaves connections that linger on its port.
  const auto bound = system_.middleman().publish(desk_, port, host.c_str(), true);
  if (!bound)
    return fail(errc::io, "cannot listen on {}:{}: {} (is the port in use?)", host, port,
                from_caf(bound.error()).message());
  port_ = *bound;
  return port_;
}

} // namespace shoal
