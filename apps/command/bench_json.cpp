#include "apps/command/bench_report.hpp"

#include <nlohmann/json.hpp>

namespace shoal {
namespace {

using nlohmann::ordered_json;

double ms(std::uint64_t us) {
  return static_cast<double>(us) * 1e-3;
}

ordered_json load_of(const load_pattern& load) {
  if (load.rate > 0)
    return {{"loop", "open"},
            {"rate", load.rate},
            {"arrivals", load.poisson ? "poisson" : "constant"},
            {"seed", load.seed},
            {"max_in_flight", load.max_in_flight}};
  return {{"loop", "closed"}, {"concurrency", load.max_in_flight}};
}

ordered_json latency_of(const value_histogram& latency) {
  return {{"min", ms(latency.least())},        {"mean", latency.mean() * 1e-3},
          {"p50", ms(latency.quantile(0.5))},  {"p95", ms(latency.quantile(0.95))},
          {"p99", ms(latency.quantile(0.99))}, {"max", ms(latency.greatest())}};
}

ordered_json errors_of(const load_outcome& outcome) {
  auto errors = ordered_json::object();
  for (const auto& [code, count] : outcome.errors) errors[std::string(to_string(code))] = count;
  return errors;
}

ordered_json stages_of(const bench_report& report) {
  auto stages = ordered_json::array();
  for (std::size_t i = 0; i < report.outcome.stages.size(); ++i) {
    const auto& s = report.outcome.stages[i];
    stages.push_back(
        {{"node", to_string(s.node)},
         {"parts", s.compute.count()},
         {"queue_ms", ms(s.queue.quantile(0.5))},
         {"compute_ms", ms(s.compute.quantile(0.5))},
         {"planned_ms",
          i < report.expected.size() ? ordered_json(report.expected[i] * 1e3) : ordered_json()},
         {"transfer_ms", ms(s.transfer.quantile(0.5))}});
  }
  return stages;
}

ordered_json devices_of(const bench_report& report) {
  auto devices = ordered_json::array();
  for (const auto& node : report.after.summary.nodes)
    for (std::size_t d = 0; d < node.devices.size(); ++d) {
      const auto share = report.busy_share(node, d);
      devices.push_back({{"node", node.name},
                         {"id", to_string(node.id)},
                         {"device", node.devices[d].name},
                         {"busy_share", share ? ordered_json(*share) : ordered_json()}});
    }
  return devices;
}

} // namespace

std::string bench_json(const bench_report& report) {
  const auto& o = report.outcome;
  ordered_json out;
  out["model"] = report.model;
  out["inputs"] = report.inputs;
  out["load"] = load_of(report.pattern);
  out["requests"] = {{"sent", o.sent},
                     {"succeeded", o.succeeded},
                     {"failed", o.failed()},
                     {"not_sent", o.not_sent}};
  out["errors"] = errors_of(o);
  if (!o.first_error.empty()) out["first_error"] = o.first_error;
  out["seconds"] = o.seconds;
  out["throughput_per_s"] = report.throughput();
  out["latency_ms"] = latency_of(o.latency);
  out["parts_sent"] = o.attempts;
  out["network"] = {{"bytes_per_request", report.network_bytes_per_request()},
                    {"stages_received", o.stage_bytes},
                    {"client_sent", report.client_sent},
                    {"client_received", report.client_received}};
  out["stages"] = stages_of(report);
  out["devices"] = devices_of(report);
  // Names come from elsewhere: what is not UTF-8 in them is replaced.
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace shoal
