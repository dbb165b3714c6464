#include "actors/connect.hpp"
#include "actors/node.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/serving_flags.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/discovery.hpp"
#include "runtime/net/local_address.hpp"

#include <spdlog/spdlog.h>

#include <future>
#include <random>

namespace shoal {
namespace {

struct node_flags {
  serving_flags serving;
  std::string join;
  std::string name;
  int executors = 1;
  int threads = 0;
  std::uint64_t memory = 0;
  bool once = false;
};

result<host_and_port> find_head(const node_flags& flags) {
  if (!flags.join.empty()) return parse_host_and_port(flags.join);
  if (flags.serving.no_discovery)
    return fail(errc::invalid_argument,
                "without discovery, --join HOST:PORT says where the head is");
  discovery_options where;
  where.cluster = flags.serving.cluster;
  SHOAL_TRY(const auto heads, discover(where, std::chrono::seconds(3), 1));
  if (heads.empty())
    return fail(errc::unavailable,
                "no head of cluster '{}' answers on this network; --join HOST:PORT names one",
                flags.serving.cluster);
  return host_and_port{heads.front().host, heads.front().port};
}

enum class ending : std::uint8_t { stopped, lost };

/// One life of the node, from joining to leaving or losing the cluster.
result<ending> live(const node_flags& flags, signal_waiter& signals) {
  SHOAL_TRY(const auto where, find_head(flags));
  node_options options;
  options.name = flags.name;
  options.executors = flags.executors;
  options.threads_per_executor = flags.threads;
  options.memory_bytes = flags.memory;
  auto ended = std::make_shared<std::promise<std::optional<error>>>();
  auto outcome = ended->get_future();
  options.on_end = [ended](std::optional<error> why) { ended->set_value(std::move(why)); };
  system_config config(compute_threads(options), true);
  caf::actor_system system(config);
  SHOAL_TRY(const auto doors,
            enter_cluster(system, where.host, where.port, "node", std::chrono::seconds(5),
                          problem_logger("connection to the head")));
  SHOAL_TRY(const auto address, local_address_towards(where.host, where.port));
  auto here = flags.serving.options(address);
  here.link.cluster_token = doors.link_token;
  SHOAL_TRY(auto home, process::start(system, here));
  SHOAL_TRY(auto worker, node::start(system, *home, doors.membership, std::move(options)));
  spdlog::info("node {} joins {}:{}, tensors on port {}", to_string(home->self().id), where.host,
               where.port, home->self().port);
  bool draining = false;
  while (outcome.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (signals.wait(std::chrono::milliseconds(50)) == 0) continue;
    if (draining) break; // asked twice: at once
    spdlog::info("finishing what is under way; once more to stop at once");
    worker->drain();
    draining = true;
  }
  std::optional<error> why;
  if (outcome.wait_for(std::chrono::seconds(0)) == std::future_status::ready) why = outcome.get();
  // The link first: what still arrives finds nobody, and that is no reason to send anything.
  worker.reset();
  home.reset();
  if (why && !draining) return *std::move(why);
  return ending::stopped;
}

result<void> run_node(const node_flags& flags) {
  set_up_logging(flags.serving.log_level);
  signal_waiter signals;
  std::mt19937 random(std::random_device{}());
  for (auto pause = std::chrono::milliseconds(250);;
       pause = std::min(pause * 2, std::chrono::milliseconds(5000))) {
    const auto begin = std::chrono::steady_clock::now();
    auto life = live(flags, signals);
    if (life) return {};
    const bool retry = life.error().code() == errc::unavailable ||
                       life.error().code() == errc::stale ||
                       life.error().code() == errc::deadline_exceeded;
    if (flags.once || !retry) return std::move(life).error();
    spdlog::warn("{}; trying again", to_string(life.error()));
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(30))
      pause = std::chrono::milliseconds(250); // it had worked for a while
    if (signals.wait(pause / 2 + pause * static_cast<int>(random() % 1024) / 1024) != 0) return {};
  }
}

} // namespace

void add_node_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("node", "Run a node: offers this machine's cores to a cluster");
  auto flags = std::make_shared<node_flags>();
  flags->serving.add_to(*command);
  command->add_option("--join", flags->join,
                      "HOST:PORT of the head; without it, it is searched for");
  command->add_option("--name", flags->name, "Name of this node; default: the machine's");
  command->add_option("--executors", flags->executors, "Executors, one model part each at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "Threads per executor; 0: the cores, shared")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--memory", flags->memory, "Memory offered, as in 4GB; 0: most of what is free")
      ->transform(CLI::AsSizeValue(false));
  command->add_flag("--once", flags->once,
                    "End with an error instead of looking for the head again");
  command->callback([flags, &exit_code] { exit_code = exit_code_of(run_node(*flags)); });
}

} // namespace shoal
