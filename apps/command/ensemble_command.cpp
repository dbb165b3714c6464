#include "actors/ensemble.hpp"
#include "apps/command/answer_summary.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/output_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/wait_for_answer.hpp"
#include "runtime/graph/onnx_import.hpp"

#include <cstdio>

namespace shoal {
namespace {

struct ensemble_flags {
  runtime_flags where;
  model_flags what; ///< of which only name, stages and tuning are said
  input_flags inputs;
  output_flags outputs;
  std::uint32_t parts = 1;
  double timeout_s = 60;
  bool show_plan = false;
};

result<std::vector<std::shared_ptr<const graph>>> import_members(const ensemble_flags& flags,
                                                                 const ensemble_description& what,
                                                                 progress_line& progress) {
  import_options options;
  options.defer_weights = flags.where.in_this_process();
  std::vector<std::shared_ptr<const graph>> models;
  for (std::size_t m = 0; m < what.sources.size(); ++m) {
    progress.show("reading " + what.sources[m].model.string());
    auto imported = import_onnx_file(what.sources[m].model, options);
    if (!imported)
      return std::move(imported).error().within(
          fmt::format("member '{}'", what.rules->members[m].name));
    models.push_back(std::move(imported->model));
  }
  return models;
}

result<void> run_ensemble(const ensemble_flags& flags) {
  progress_line progress;
  SHOAL_TRY(const auto what, read_ensemble(flags.what.file));
  SHOAL_TRY(const auto models, import_members(flags, what, progress));
  SHOAL_TRY(const auto bound, bind_members(what, models));
  SHOAL_TRY(const auto inputs, flags.inputs.read(*bound.interface));
  std::vector<std::string> names;
  for (const auto& output : what.rules->outputs) names.push_back(output.name);
  SHOAL_TRY(const auto destinations, flags.outputs.find("ensemble", names));
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  SHOAL_TRY(const auto ready,
            ensemble::load(*runtime, what, models, flags.what.options(types, progress)));
  progress.clear();
  if (flags.show_plan)
    for (const auto& member : ready.members())
      std::fprintf(stderr, "%s\n%s", member.name().c_str(), member.plan_table().c_str());
  infer_options options;
  options.parts = flags.parts;
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(flags.timeout_s * 1e3));
  SHOAL_TRY(const auto answer, wait_for_answer(ready.infer(inputs, options), progress, "running"));
  progress.clear();
  std::fputs(describe_agreement(ready, answer).c_str(), stderr);
  std::vector<tensor> outputs;
  for (const auto& output : answer.outputs) outputs.push_back(output.value);
  return flags.outputs.deliver(destinations, names, outputs);
}

} // namespace

void add_ensemble_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("ensemble", "Run several models on files, and combine them");
  auto flags = std::make_shared<ensemble_flags>();
  command
      ->add_option("ensemble", flags->what.file,
                   "The ensemble: JSON that names models and how their answers become one")
      ->required()
      ->type_name("FILE");
  command->add_option("--name", flags->what.name,
                      "What a cluster calls it; default: the name of the file");
  command->add_flag("--no-tune", flags->what.no_tune,
                    "Do not choose convolution algorithms by measuring");
  flags->inputs.add_to(*command);
  flags->outputs.add_to(*command);
  flags->where.add_to(*command);
  command->add_option("--parts", flags->parts, "Cut the batch (axis 0) into so many parts")
      ->check(CLI::Range(1, 65536));
  command
      ->add_option("--timeout", flags->timeout_s,
                   "Seconds that the request may take; the ensemble may say less")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  command->add_flag("--show-plan", flags->show_plan, "Print how each model is cut, to stderr");
  command->callback([flags, &exit_code] {
    flags->outputs.check_usage();
    exit_code = exit_code_of(run_ensemble(*flags));
  });
}

} // namespace shoal
