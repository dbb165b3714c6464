#include "actors/node.hpp"

#include "actors/executor.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/plan/measure_costs.hpp"
#include "runtime/schedule/membership_table.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <unistd.h>

#include <algorithm>

namespace shoal {
namespace {

/// More would be refused by the head.
constexpr int most_executors = static_cast<int>(membership_options().max_devices);

int threads_of(const node_options& options) {
  if (options.threads_per_executor > 0) return options.threads_per_executor;
  return std::max(1, usable_cores() / std::max(1, options.executors));
}

} // namespace

int compute_threads(const node_options& options) {
  return options.executors * threads_of(options);
}

result<std::unique_ptr<node>> node::start(caf::actor_system& system, process& home,
                                          const membership_actor& membership,
                                          node_options options) {
  if (options.executors < 1 || options.executors > most_executors)
    return fail(errc::invalid_argument, "a node has 1 to {} executors, {} were asked for",
                most_executors, options.executors);
  const int threads = threads_of(options);
  SHOAL_TRY(const auto speed, measure_device(threads));
  const auto memory = options.memory_bytes > 0 ? options.memory_bytes : available_memory() / 10 * 8;
  std::unique_ptr<node> n(new node);
  for (int i = 0; i < options.executors; ++i) {
    node_device device;
    device.offer.name = fmt::format("cpu{}", i);
    device.offer.kind = "cpu";
    device.offer.flops_per_second = static_cast<std::uint64_t>(speed);
    device.offer.memory_bytes = memory / static_cast<std::uint64_t>(options.executors);
    device.offer.threads = static_cast<std::uint32_t>(threads);
    device.thread = std::make_shared<device_thread>();
    device.executor = system.spawn(executor, device.thread);
    n->devices_.push_back(std::move(device));
  }
  node_equipment equipment;
  equipment.name =
      options.name.empty() ? fmt::format("{}-{}", host_name(), getpid()) : options.name;
  equipment.devices = n->devices_;
  equipment.office = home.office();
  equipment.store = home.store();
  equipment.fetcher = home.fetcher();
  equipment.library = home.library();
  equipment.membership = membership;
  equipment.on_end = options.on_end ? std::move(options.on_end) : [](std::optional<error>) {};
  n->agent_ = system.spawn(node_agent, std::move(equipment));
  return n;
}

node::~node() {
  caf::anon_send_exit(agent_, caf::exit_reason::user_shutdown);
  for (const auto& device : devices_)
    caf::anon_send_exit(device.executor, caf::exit_reason::user_shutdown);
}

void node::drain() {
  caf::anon_send(agent_, drain_atom_v);
}

} // namespace shoal
