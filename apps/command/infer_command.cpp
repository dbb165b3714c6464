#include "apps/command/answer_summary.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/output_flags.hpp"
#include "apps/command/recipe_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/tile_flags.hpp"
#include "apps/command/tiled_picture.hpp"
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
  recipe_flags recipes;
  bool own_input = false;  ///< flags say how pictures are prepared: a recipe does not
  bool own_output = false; ///< flags say what the output means: a recipe does not
  tile_flags tiles;
  std::uint32_t parts = 1;
  double timeout_s = 60;
  std::uint32_t repeat = 1;
  bool show_plan = false;
  bool trace = false;

  std::chrono::milliseconds timeout() const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1e3));
  }
};

/// The answer to the last request.
result<inference> run(const infer_flags& flags, const model& ready,
                      const std::vector<tensor>& inputs, progress_line& progress) {
  infer_options options;
  options.parts = flags.parts;
  options.timeout = flags.timeout();
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

std::vector<tensor_type> types_of(const std::vector<tensor>& inputs) {
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  return types;
}

result<std::vector<tensor>> run_whole(const infer_flags& flags, runtime& where,
                                      std::shared_ptr<const graph> imported,
                                      const std::vector<tensor>& inputs, progress_line& progress) {
  SHOAL_TRY(const auto ready,
            where.load(std::move(imported), flags.what.options(types_of(inputs), progress)));
  progress.clear();
  if (flags.show_plan) std::fputs(ready.plan_table().c_str(), stderr);
  SHOAL_TRY(auto answer, run(flags, ready, inputs, progress));
  if (flags.trace) std::fputs(describe_trace(answer).c_str(), stderr);
  return std::move(answer.outputs);
}

result<std::vector<tensor>> run_tiles(const infer_flags& flags, runtime& where,
                                      std::shared_ptr<const graph> imported,
                                      const std::vector<tensor>& inputs, progress_line& progress) {
  SHOAL_TRY(auto wish, flags.tiles.plan(imported, types_of(inputs), where));
  const auto options = flags.what.options(types_of(inputs), progress);
  SHOAL_TRY(const auto loaded, load_for_tiles(where, imported, options, std::move(wish)));
  const auto& [plan, ready] = loaded;
  progress.clear();
  if (flags.show_plan) std::fputs((render_tiles(plan) + ready.plan_table()).c_str(), stderr);
  tensor_source from(inputs[plan.axes().input], plan.axes());
  SHOAL_TRY(auto to, tensor_sink::create(plan));
  tile_run_options how;
  SHOAL_TRY(how.in_flight, tiles_in_flight(where));
  how.each.timeout = flags.timeout();
  how.on_progress = [&](const tile_progress& p) {
    progress.show(fmt::format("tile {} of {}", p.done, p.total));
  };
  SHOAL_TRY(const auto report, infer_tiles(ready, plan, inputs, from, to, how));
  progress.clear();
  if (flags.trace) std::fputs(describe_tiles(report).c_str(), stderr);
  return std::move(to.outputs());
}

/// The recipe, without what the flags say themselves.
result<std::optional<recipe>> find_recipe(const infer_flags& flags, input_flags& inputs) {
  SHOAL_TRY(auto how, flags.recipes.find(flags.what.file));
  if (how && !flags.own_input) inputs.how = how;
  if (flags.own_output) how.reset();
  return how;
}

result<void> run_infer(const infer_flags& flags) {
  progress_line progress;
  auto from = flags.inputs;
  SHOAL_TRY(const auto how, find_recipe(flags, from));
  const tiled_picture windows{flags.where,     flags.what,  from,
                              flags.outputs,   flags.tiles, flags.timeout(),
                              flags.show_plan, flags.trace};
  if (windows.streams() && !how) return windows.run();
  SHOAL_TRY(const auto imported, flags.what.import(flags.where, progress));
  std::vector<image_placement> placements;
  SHOAL_TRY(const auto inputs, from.read(*imported, &placements));
  std::vector<std::string> names;
  for (const auto id : imported->outputs()) names.push_back(imported->value(id).name);
  SHOAL_TRY(const auto destinations, flags.outputs.find("model", names));
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  const auto way = flags.tiles.used() ? run_tiles : run_whole;
  SHOAL_TRY(auto outputs, way(flags, *runtime, imported, inputs, progress));
  auto end = flags.outputs;
  if (how && !outputs.empty()) SHOAL_CHECK(end.follow(*how, outputs.front(), placements));
  return end.deliver(destinations, names, outputs);
}

} // namespace

void add_infer_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("infer", "Run a model on files");
  auto flags = std::make_shared<infer_flags>();
  flags->what.add_to(*command);
  flags->inputs.add_to(*command);
  flags->outputs.add_to(*command);
  flags->tiles.add_to(*command);
  flags->recipes.add_to(*command);
  flags->where.add_to(*command);
  command->add_option("--parts", flags->parts, "Cut the batch (axis 0) into so many parts")
      ->check(CLI::Range(1, 65536));
  command
      ->add_option("--timeout", flags->timeout_s,
                   "Seconds that the request, or a tile of it, may take")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->add_option("--repeat", flags->repeat, "Run it so many times, one after the other")
      ->check(CLI::Range(1, 1'000'000));
  command->add_flag("--show-plan", flags->show_plan, "Print how the model is cut, to stderr");
  command->add_flag("--trace", flags->trace, "Print the time of every stage, to stderr");
  command->callback([flags, command, &exit_code] {
    flags->own_input = uses_group(*command, "Pictures as inputs");
    flags->own_output =
        uses_group(*command, "Outputs as pictures") || uses_group(*command, "Classes");
    flags->outputs.check_usage();
    if (flags->tiles.used() && (flags->parts > 1 || flags->repeat > 1))
      throw CLI::ValidationError("--tiles", "goes with neither --parts nor --repeat");
    exit_code = exit_code_of(run_infer(*flags));
  });
}

} // namespace shoal
