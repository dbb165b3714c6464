#include "apps/command/answer_summary.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/named_words.hpp"
#include "apps/command/parsed_option.hpp"
#include "apps/command/recipe_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/tensor_file.hpp"
#include "apps/command/text_table.hpp"
#include "apps/command/tile_flags.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/plan/units.hpp"
#include "runtime/tensor/labels.hpp"

#include <algorithm>
#include <cstdio>

namespace shoal {
namespace {

struct infer_flags {
  runtime_flags where;
  model_flags what;
  input_flags inputs;
  recipe_flags recipes;
  bool own_input = false;  ///< flags say how pictures are prepared: a recipe does not
  bool own_output = false; ///< flags say what the output means: a recipe does not
  picture_flags pictures;
  tile_flags tiles;
  std::vector<std::string> outputs; ///< "[NAME=]FILE"
  std::optional<tensor_format> format;
  std::size_t top = 0;
  std::filesystem::path labels;
  bool softmax = false;
  std::uint32_t parts = 1;
  double timeout_s = 60;
  std::uint32_t repeat = 1;
  bool show_plan = false;
  bool trace = false;

  std::chrono::milliseconds timeout() const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1e3));
  }
};

/// An output and where it goes.
struct destination {
  std::size_t output = 0;
  std::filesystem::path file;
  tensor_format format = tensor_format::npy;
};

result<std::size_t> output_index(const graph& model, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.outputs().size(); ++i) {
    const auto& known = model.value(model.outputs()[i]).name;
    if (name.empty() || name == known) return i;
    names.push_back("'" + known + "'");
  }
  return fail(errc::not_found, "the model has no output '{}'; its outputs are {}", name,
              fmt::join(names, ", "));
}

/// Before the model runs, so that no work is lost to a misspelt name.
result<std::vector<destination>> find_destinations(const infer_flags& flags, const graph& model) {
  std::vector<destination> found;
  for (const auto& argument : flags.outputs) {
    const auto [name, file] = split_named(argument);
    destination to;
    SHOAL_TRY(to.output, output_index(model, name));
    to.file = file;
    if (flags.format) {
      to.format = *flags.format;
    } else if (file != "-") {
      SHOAL_TRY(to.format, format_by_name(file));
    }
    found.push_back(std::move(to));
  }
  return found;
}

result<inference> wait_for(std::future<result<inference>> answer, progress_line& progress,
                           const std::string& doing) {
  const auto begin = std::chrono::steady_clock::now();
  while (answer.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    progress.show(fmt::format("{} ({:.0f} s)", doing, elapsed.count()));
  }
  return answer.get();
}

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
    last = wait_for(ready.infer(inputs, options), progress, doing);
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

std::string class_table(const std::vector<scored_class>& classes, bool probabilities) {
  text_table table({"rank", "class", probabilities ? "probability" : "score", "label"}, {3});
  for (std::size_t i = 0; i < classes.size(); ++i)
    table.add({fmt::format("{}", i + 1), fmt::format("{}", classes[i].index),
               fmt::format("{:.6g}", classes[i].score), classes[i].label});
  return table.render();
}

result<std::string> describe_classes(const infer_flags& flags, const tensor& scores) {
  std::vector<std::string> labels;
  if (!flags.labels.empty()) {
    SHOAL_TRY(labels, read_labels(flags.labels));
  }
  SHOAL_TRY(const auto classes,
            top_classes(scores, flags.top, labels,
                        flags.softmax ? score_transform::softmax : score_transform::none));
  return class_table(classes, flags.softmax);
}

bool writes_to_stdout(const infer_flags& flags) {
  return std::ranges::any_of(flags.outputs,
                             [](const auto& o) { return split_named(o).words == "-"; });
}

template <class Step>
bool has_step(const recipe& how) {
  return std::ranges::any_of(how.outputs,
                             [](const auto& step) { return std::holds_alternative<Step>(step); });
}

/// What the recipe makes of the first output: a tensor takes its place, classes come back as
/// tables, and pictures are made where they are written.
result<std::string> follow_output(const recipe& how, tensor& output,
                                  std::span<const image_placement> placements) {
  if (has_step<picture_step>(how)) return std::string();
  auto concluded = conclude(how, output, placements);
  if (!concluded)
    return std::move(concluded).error().within("the recipe, which --no-recipe leaves alone");
  if (auto* values = std::get_if<tensor>(&*concluded)) output = std::move(*values);
  std::string tables;
  if (const auto* items = std::get_if<std::vector<std::vector<scored_class>>>(&*concluded))
    for (const auto& classes : *items) tables += class_table(classes, has_step<softmax_step>(how));
  return tables;
}

/// How pictures among the outputs look: as the flags say, or else the recipe.
image_output_options look_of(const infer_flags& flags, const std::optional<recipe>& how) {
  if (how)
    for (const auto& step : how->outputs)
      if (const auto* picture = std::get_if<picture_step>(&step)) return picture->options;
  return flags.pictures.options;
}

result<void> print(const std::string& text) {
  return write_bytes("-", bytes_of(text));
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
  SHOAL_TRY(const auto imported, flags.what.import(flags.where, progress));
  std::vector<image_placement> placements;
  SHOAL_TRY(const auto inputs, from.read(*imported, &placements));
  SHOAL_TRY(const auto destinations, find_destinations(flags, *imported));
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  const auto way = flags.tiles.used() ? run_tiles : run_whole;
  SHOAL_TRY(auto outputs, way(flags, *runtime, imported, inputs, progress));
  std::string tables;
  if (how && !outputs.empty()) {
    SHOAL_TRY(tables, follow_output(*how, outputs.front(), placements));
  }
  for (const auto& to : destinations)
    SHOAL_CHECK(write_tensor(to.file, to.format, outputs.at(to.output),
                             imported->value(imported->outputs()[to.output]).name,
                             look_of(flags, how)));
  if (flags.top > 0) {
    SHOAL_TRY(const auto table, describe_classes(flags, outputs.front()));
    return print(table);
  }
  if (!tables.empty()) return writes_to_stdout(flags) ? result<void>() : print(tables);
  return destinations.empty() ? print(describe_outputs(*imported, outputs)) : result<void>();
}

void add_output_flags(CLI::App& command, infer_flags& flags) {
  static const std::vector<std::pair<std::string, tensor_format>> formats{
      {"npy", tensor_format::npy},
      {"pb", tensor_format::proto},
      {"png", tensor_format::png},
      {"jpg", tensor_format::jpeg}};
  command
      .add_option("--output", flags.outputs,
                  "Where an output goes, the first one unless named: .npy, .pb, .png, .jpg; '-' is "
                  "standard output. Without it, standard output gets a description")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false);
  add_word_option(command, "--format", flags.format, formats,
                  "npy, pb, png or jpg; default: by the file's name, npy on standard output");
  flags.pictures.add_to(command);
  auto* top =
      command.add_option("--top", flags.top, "Print the so many best classes of the first output");
  top->check(CLI::Range(1, 1 << 20))->group("Classes");
  command.add_option("--labels", flags.labels, "File with the names of the classes, one per line")
      ->needs(top)
      ->group("Classes")
      ->type_name("FILE");
  command.add_flag("--softmax", flags.softmax, "Turn scores into probabilities")
      ->needs(top)
      ->group("Classes");
}

} // namespace

void add_infer_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("infer", "Run a model on files");
  auto flags = std::make_shared<infer_flags>();
  flags->what.add_to(*command);
  flags->inputs.add_to(*command);
  add_output_flags(*command, *flags);
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
    const auto data = std::ranges::count_if(
        flags->outputs, [](const auto& o) { return split_named(o).words == "-"; });
    if (data > 1) throw CLI::ValidationError("--output", "standard output takes one tensor only");
    if (flags->tiles.used() && (flags->parts > 1 || flags->repeat > 1))
      throw CLI::ValidationError("--tiles", "goes with neither --parts nor --repeat");
    if (data == 1 && flags->top > 0)
      throw CLI::ValidationError("--top", "standard output cannot have both classes and a tensor");
    exit_code = exit_code_of(run_infer(*flags));
  });
}

} // namespace shoal
