#include "apps/command/bench_report.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/parsed_option.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/base/fail.hpp"

#include <cstdio>
#include <thread>

namespace shoal {
namespace {

/// Nodes tell of themselves with every heartbeat: after so long, of all that is over.
constexpr auto report_delay = std::chrono::milliseconds(400);

struct bench_flags {
  runtime_flags where;
  model_flags what;
  input_flags inputs;
  std::uint32_t concurrency = 1;
  std::uint32_t max_in_flight = 256;
  double rate = 0;
  bool poisson = true;
  std::uint64_t seed = 1;
  double duration_s = 0;
  std::uint64_t requests = 0;
  std::uint64_t warmup = 5;
  std::uint32_t parts = 1;
  double timeout_s = 60;
  bool json = false;
};

load_pattern pattern_of(const bench_flags& flags) {
  constexpr double usual_duration_s = 10;
  load_pattern pattern;
  pattern.rate = flags.rate;
  pattern.poisson = flags.poisson;
  pattern.seed = flags.seed;
  pattern.max_in_flight = flags.rate > 0 ? flags.max_in_flight : flags.concurrency;
  pattern.requests = flags.requests;
  pattern.duration = std::chrono::duration<double>(
      flags.duration_s == 0 && flags.requests == 0 ? usual_duration_s : flags.duration_s);
  pattern.request_timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(flags.timeout_s * 1e3));
  return pattern;
}

/// The same load in small: what is slow once only is over then.
load_pattern warmup_of(const bench_flags& flags, const load_pattern& pattern) {
  load_pattern warmup;
  warmup.max_in_flight = flags.concurrency;
  warmup.requests = flags.warmup;
  warmup.request_timeout = pattern.request_timeout;
  return warmup;
}

result<void> warm_up(const send_request& send, const load_pattern& pattern,
                     progress_line& progress) {
  if (pattern.requests == 0) return {};
  progress.show("warming up");
  SHOAL_TRY(const auto outcome, drive(send, pattern));
  if (outcome.succeeded == 0)
    return fail(outcome.errors.begin()->first, "no request of the warm-up succeeded; the first: {}",
                outcome.first_error);
  return {};
}

std::string describe_types(const std::vector<tensor>& inputs) {
  std::string text;
  for (const auto& input : inputs) text += (text.empty() ? "" : ", ") + to_string(input.type());
  return text;
}

result<void> run_bench(const bench_flags& flags) {
  progress_line progress;
  SHOAL_TRY(const auto imported, flags.what.import(flags.where, progress));
  SHOAL_TRY(const auto inputs, flags.inputs.read_or_make(*imported, flags.seed));
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  SHOAL_TRY(const auto ready, runtime->load(imported, flags.what.options(types, progress)));
  bench_report report;
  report.model = ready.name();
  report.expected = ready.expected_stage_seconds();
  report.inputs = describe_types(inputs);
  report.pattern = pattern_of(flags);
  infer_options options;
  options.parts = flags.parts;
  options.timeout = report.pattern.request_timeout;
  const send_request send = [&](std::function<void(result<inference>)> answer) {
    ready.infer(inputs, std::move(answer), options);
  };
  SHOAL_CHECK(warm_up(send, warmup_of(flags, report.pattern), progress));
  std::this_thread::sleep_for(report_delay);
  SHOAL_TRY(report.before, look_at(*runtime));
  const auto network_before = runtime->network_bytes();
  SHOAL_TRY(report.outcome,
            drive(send, report.pattern, [&](const load_outcome& so_far, double elapsed) {
              progress.show(fmt::format("{} after {:.1f} s: {} requests succeeded, {} failed",
                                        report.model, elapsed, so_far.succeeded, so_far.failed()));
            }));
  const auto network_after = runtime->network_bytes();
  report.client_sent = network_after.first - network_before.first;
  report.client_received = network_after.second - network_before.second;
  std::this_thread::sleep_for(report_delay);
  SHOAL_TRY(report.after, look_at(*runtime));
  progress.clear();
  return write_bytes("-", bytes_of(flags.json ? bench_json(report) : bench_tables(report)));
}

void add_load_flags(CLI::App& command, bench_flags& flags) {
  static const std::vector<std::pair<std::string, bool>> arrivals{{"poisson", true},
                                                                  {"constant", false}};
  constexpr const char* group = "Load";
  auto* concurrency = command.add_option("--concurrency", flags.concurrency,
                                         "Closed loop: requests in flight at all times");
  auto* rate = command.add_option("--rate", flags.rate,
                                  "Open loop: requests per second, answered or not; latency "
                                  "counts from when a request was due");
  auto* order = add_word_option(command, "--arrivals", flags.poisson, arrivals,
                                "Open loop: poisson (the default) or constant");
  auto* most = command.add_option("--max-in-flight", flags.max_in_flight,
                                  "Open loop: more than that wait to be sent");
  concurrency->check(CLI::Range(1, 65536))->group(group)->capture_default_str();
  rate->check(CLI::Range(0.001, 1e6))->group(group);
  order->needs(rate)->group(group);
  most->check(CLI::Range(1, 65536))->needs(rate)->group(group);
  command.add_option("--seed", flags.seed, "Of arrivals and made-up inputs")
      ->group(group)
      ->capture_default_str();
  command
      .add_option("--duration", flags.duration_s,
                  "Seconds to send for; default: 10, unless --requests is given")
      ->check(CLI::Range(0.001, 1e7))
      ->group(group);
  command.add_option("--requests", flags.requests, "Requests to send at most")
      ->check(CLI::PositiveNumber)
      ->group(group);
  command.add_option("--warmup", flags.warmup, "Requests before, which do not count")
      ->check(CLI::Range(0, 1'000'000))
      ->group(group)
      ->capture_default_str();
}

} // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("bench", "Send a model many requests and measure");
  auto flags = std::make_shared<bench_flags>();
  flags->what.add_to(*command);
  flags->inputs.add_with_shapes_to(*command);
  add_load_flags(*command, *flags);
  flags->where.add_to(*command);
  command->add_option("--parts", flags->parts, "Cut the batch (axis 0) into so many parts")
      ->check(CLI::Range(1, 65536));
  command->add_option("--timeout", flags->timeout_s, "Seconds that a request may take")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "Print JSON instead of tables");
  command->callback([flags, &exit_code] { exit_code = exit_code_of(run_bench(*flags)); });
}

} // namespace shoal
