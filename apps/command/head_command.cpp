#include "actors/head.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/serving_flags.hpp"
#include "runtime/base/file.hpp"
#include "runtime/net/discovery.hpp"
#include "runtime/net/frame.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/net/local_address.hpp"

#include <spdlog/spdlog.h>

namespace shoal {
namespace {

struct head_flags {
  serving_flags serving;
  std::uint16_t port = default_control_port;
  std::filesystem::path port_file;
};

/// What others call this machine: --advertise, or the address bound to, or the one that leads out.
std::string reachable_address(const serving_flags& flags) {
  if (!flags.advertise.empty()) return flags.advertise;
  if (flags.bind != "0.0.0.0" && flags.bind != "::") return flags.bind;
  // An address of the documentation range: nothing is sent, only the route is looked up.
  auto outward = local_address_towards("192.0.2.1", 9);
  return outward ? *std::move(outward) : "127.0.0.1";
}

void log_member(membership_change change, const node_offer& node) {
  const auto who =
      fmt::format("node '{}' at {}:{}", node.name, node.process.host, node.process.port);
  switch (change) {
  case membership_change::joined:
    return spdlog::info("{} has joined", who);
  case membership_change::draining:
    return spdlog::info("{} finishes what it has and leaves", who);
  case membership_change::left:
    return spdlog::info("{} has left", who);
  case membership_change::lost:
    return spdlog::warn("{} is lost", who);
  case membership_change::suspected: // it may just be slow: the end of its lease decides
  case membership_change::recovered:
    return;
  }
}

result<void> run_head(const head_flags& flags) {
  set_up_logging(flags.serving.log_level);
  signal_waiter signals;
  const auto address = reachable_address(flags.serving);
  system_config config(1, true);
  caf::actor_system system(config);
  SHOAL_TRY(auto home, process::start(system, flags.serving.options(address)));
  head_options options;
  options.on_problem = problem_logger("control port");
  options.on_member = log_member;
  SHOAL_TRY(auto chief, head::start(system, *home, std::move(options)));
  SHOAL_TRY(const auto port, chief->publish(flags.serving.bind, flags.port));
  std::unique_ptr<discovery_responder> responder;
  if (!flags.serving.no_discovery) {
    discovery_options where;
    where.cluster = flags.serving.cluster;
    auto opened = discovery_responder::open(
        where, {home->self().id, address, port, software_version(), link_protocol_version});
    if (opened)
      responder = *std::move(opened);
    else
      spdlog::warn("nodes cannot find this head by multicast: {}", opened.error().message());
  }
  spdlog::info("head {} of cluster '{}': --join {}:{}, tensors on port {}",
               to_string(home->self().id), flags.serving.cluster, address, port, home->self().port);
  if (!flags.port_file.empty()) {
    const auto text = std::to_string(port);
    const auto content = bytes_of(text);
    SHOAL_CHECK(replace_file(flags.port_file, {&content, 1}));
  }
  while (signals.wait(std::chrono::hours(1)) == 0) {
  }
  spdlog::info("head stops");
  chief.reset();
  home.reset();
  return {};
}

} // namespace

void add_head_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("head", "Run the head of a cluster; nodes and clients join it");
  auto flags = std::make_shared<head_flags>();
  flags->serving.add_to(*command);
  command->add_option("--port", flags->port, "Port for nodes and clients; 0: any free one")
      ->capture_default_str();
  command->add_option("--port-file", flags->port_file, "Write the port here when ready");
  command->callback([flags, &exit_code] { exit_code = exit_code_of(run_head(*flags)); });
}

} // namespace shoal
