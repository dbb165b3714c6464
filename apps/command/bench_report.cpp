#include "apps/command/bench_report.hpp"

#include "apps/command/text_table.hpp"
#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shoal {
namespace {

std::string time(std::uint64_t us) {
  return human_seconds(static_cast<double>(us) * 1e-6);
}

std::string describe_load(const load_pattern& load) {
  if (load.rate > 0)
    return fmt::format("open loop, {} requests/s, {} arrivals, seed {}, at most {} in flight",
                       load.rate, load.poisson ? "Poisson" : "constant", load.seed,
                       load.max_in_flight);
  return fmt::format("closed loop, {} in flight", load.max_in_flight);
}

std::string error_lines(const load_outcome& outcome) {
  std::string text;
  for (const auto& [code, count] : outcome.errors)
    text += fmt::format("  {}: {}\n", to_string(code), count);
  if (!outcome.first_error.empty()) text += fmt::format("  the first: {}\n", outcome.first_error);
  if (outcome.not_sent > 0)
    text += fmt::format("  due but not sent, as too many were in flight: {}\n", outcome.not_sent);
  return text;
}

std::string node_name(const bench_report& report, const incarnation& id) {
  const auto* node = find_node(report.after, id);
  return node == nullptr ? to_string(id).substr(0, 8) : node->name;
}

std::string stage_table(const bench_report& report) {
  text_table table({"stage", "node", "parts", "queue", "compute", "planned", "transfer"}, {1});
  for (std::size_t i = 0; i < report.outcome.stages.size(); ++i) {
    const auto& s = report.outcome.stages[i];
    table.add({fmt::format("{}", i + 1), node_name(report, s.node),
               fmt::format("{}", s.compute.count()), time(s.queue.quantile(0.5)),
               time(s.compute.quantile(0.5)),
               i < report.expected.size() ? human_seconds(report.expected[i]) : "-",
               time(s.transfer.quantile(0.5))});
  }
  return table.empty() ? "" : "\nmedians per stage\n" + table.render();
}

std::string device_table(const bench_report& report) {
  text_table table({"node", "device", "busy"}, {0, 1});
  for (const auto& node : report.after.summary.nodes)
    for (std::size_t d = 0; d < node.devices.size(); ++d) {
      const auto share = report.busy_share(node, d);
      table.add(
          {node.name, node.devices[d].name, share ? fmt::format("{:.0f} %", *share * 100) : "-"});
    }
  return table.empty() ? "" : "\n" + table.render();
}

} // namespace

double bench_report::throughput() const {
  return outcome.seconds > 0 ? static_cast<double>(outcome.succeeded) / outcome.seconds : 0;
}

double bench_report::network_bytes_per_request() const {
  if (outcome.succeeded == 0) return 0;
  return static_cast<double>(outcome.stage_bytes + client_received) /
         static_cast<double>(outcome.succeeded);
}

std::optional<double> bench_report::busy_share(const node_summary& node, std::size_t device) const {
  const auto busy = busy_seconds(before, node, device);
  if (!busy || outcome.seconds <= 0) return std::nullopt;
  return std::min(1.0, *busy / outcome.seconds);
}

std::string bench_tables(const bench_report& report) {
  const auto& o = report.outcome;
  auto text =
      fmt::format("{} on {}\n{}\n\n", report.model, report.inputs, describe_load(report.pattern));
  text += fmt::format("requests    {} sent in {}, {} succeeded, {} failed\n", o.sent,
                      human_seconds(o.seconds), o.succeeded, o.failed());
  text += error_lines(o);
  text += fmt::format("throughput  {:.2f} requests/s\n", report.throughput());
  text += fmt::format("latency     p50 {}, p95 {}, p99 {}, max {}\n", time(o.latency.quantile(0.5)),
                      time(o.latency.quantile(0.95)), time(o.latency.quantile(0.99)),
                      time(o.latency.greatest()));
  text += fmt::format("network     {} per request\n",
                      human_bytes(static_cast<std::uint64_t>(report.network_bytes_per_request())));
  return text + stage_table(report) + device_table(report);
}

} // namespace shoal
