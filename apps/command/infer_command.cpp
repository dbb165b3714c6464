#include "apps/command/answer_summary.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/output_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/wait_for_answer.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/plan/units.hpp"

#include <algorithm>
#include <cstdio>

namespace shoal {
namespace {

struct infer_flags {
  runtime_flags where;
  model_flags what;
  input_flags inputs;
  output_flags outputs;
  std::uint32_t parts = 1;
  double timeout_s = 60;
  std::uint32_t repeat = 1;
  bool show_plan = false;
  bool trace = false;
};

/// The answer to the last request.
result<inference> run(const infer_flags& flags, const model& ready,
                      const std::vector<tensor>& inputs, progress_line& progress) {
  infer_options options;
  options.parts = flags.parts;
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(flags.timeout_s * 1e3));
  std::vector<double> seconds;
  result<inference> last = fail(errc::internal, "nothing was asked");
  for (std::uint32_t n = 0; n < flags.repeat; ++n) {
    const auto doing = flags.repeat == 1 ? std::string("running")
                                         : fmt::format("run {} of {}", n + 1, flags.repeat);
    progress.show(doing);
    last = wait_for_answer(ready.infer(inputs, options), progress, doing);
    if (!last) return last;
    seconds.push_back(static_cast<double>(last->elapsed_us) * 1e-6);
  }
  progress.clear();
  if (flags.repeat > 1) {
    std::ranges::sort(seconds);
    std::fprintf(stderr, "%u runs: fastest %s, median %s, slowest %s\n", flags.repeat,
                 human_seconds(seconds.front()).c_str(),
                 human_seconds(seconds[seconds.size() / 2]).c_str(),
                 human_seconds(seconds.back()).c_str());
  }
  return last;
}

result<void> run_infer(const infer_flags& flags) {
  progress_line progress;
  SHOAL_TRY(const auto imported, flags.what.import(flags.where, progress));
  SHOAL_TRY(const auto inputs, flags.inputs.read(*imported));
  std::vector<std::string> names;
  for (const auto id : imported->outputs()) names.push_back(imported->value(id).name);
  SHOAL_TRY(const auto destinations, flags.outputs.find("model", names));
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  SHOAL_TRY(const auto ready, runtime->load(imported, flags.what.options(types, progress)));
  progress.clear();
  if (flags.show_plan) std::fputs(ready.plan_table().c_str(), stderr);
  SHOAL_TRY(const auto answer, run(flags, ready, inputs, progress));
  if (flags.trace) std::fputs(describe_trace(answer).c_str(), stderr);
  return flags.outputs.deliver(destinations, names, answer.outputs);
}

} // namespace

void add_infer_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("infer", "Run a model on files");
  auto flags = std::make_shared<infer_flags>();
  flags->what.add_to(*command);
  flags->inputs.add_to(*command);
  flags->outputs.add_to(*command);
  flags->where.add_to(*command);
  command->add_option("--parts", flags->parts, "Cut the batch (axis 0) into so many parts")
      ->check(CLI::Range(1, 65536));
  command->add_option("--timeout", flags->timeout_s, "Seconds that the request may take")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->add_option("--repeat", flags->repeat, "Run it so many times, one after the other")
      ->check(CLI::Range(1, 1'000'000));
  command->add_flag("--show-plan", flags->show_plan, "Print how the model is cut, to stderr");
  command->add_flag("--trace", flags->trace, "Print the time of every stage, to stderr");
  command->callback([flags, &exit_code] {
    flags->outputs.check_usage();
    exit_code = exit_code_of(run_infer(*flags));
  });
}

} // namespace shoal
