#include "apps/command/commands.hpp"
#include "apps/command/input_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/tensor_file.hpp"
#include "apps/command/tile_flags.hpp"
#include "runtime/base/fail.hpp"

namespace shoal {
namespace {

struct plan_flags {
  runtime_flags where;
  model_flags what;
  input_flags inputs;
  tile_flags tiles;
  std::filesystem::path picture;
};

result<void> run_plan(const plan_flags& flags) {
  progress_line progress;
  SHOAL_TRY(const auto imported, flags.what.import(flags.where, progress));
  SHOAL_TRY(const auto types, flags.inputs.types(*imported));
  SHOAL_TRY(const auto runtime, flags.where.open(progress));
  std::string tiles;
  auto options = flags.what.options(types, progress);
  if (flags.tiles.used()) {
    if (types.empty())
      return fail(errc::invalid_argument, "--tiles: expected the image, or its extents by --shape");
    progress.show("looking how the image can be cut");
    SHOAL_TRY(const auto plan, flags.tiles.plan(imported, types, *runtime));
    tiles = render_tiles(plan);
    options = for_tiles(std::move(options), plan);
  }
  options.plan_only = true;
  progress.show("measuring the model and cutting it");
  SHOAL_TRY(const auto planned, runtime->load(imported, options));
  progress.clear();
  if (!flags.picture.empty())
    SHOAL_CHECK(write_bytes(flags.picture, bytes_of(planned.plan_picture())));
  return flags.picture == "-" ? result<void>()
                              : write_bytes("-", bytes_of(tiles + planned.plan_table()));
}

} // namespace

void add_plan_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("plan", "Show how a model would be cut, without running it");
  auto flags = std::make_shared<plan_flags>();
  flags->what.add_to(*command);
  flags->inputs.add_with_shapes_to(*command);
  command
      ->add_option("--svg", flags->picture, "Write the plan as a picture here, too; '-': only it")
      ->type_name("FILE");
  flags->tiles.add_to(*command);
  flags->where.add_to(*command);
  command->callback([flags, &exit_code] { exit_code = exit_code_of(run_plan(*flags)); });
}

} // namespace shoal
