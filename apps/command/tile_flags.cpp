#include "apps/command/tile_flags.hpp"

#include "apps/command/parsed_option.hpp"
#include "runtime/base/fail.hpp"

namespace shoal {
namespace {

result<std::int64_t> executors_of(runtime& where) {
  SHOAL_TRY(const auto cluster, where.status());
  std::int64_t count = 0;
  for (const auto& node : cluster.nodes) count += static_cast<std::int64_t>(node.devices.size());
  return std::max<std::int64_t>(count, 1);
}

result<std::size_t> find_input(const graph& model, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < model.inputs().size(); ++i) {
    const auto& known = model.value(model.inputs()[i]).name;
    if (name.empty() || name == known) return i;
    names.push_back("'" + known + "'");
  }
  return fail(errc::not_found, "the model has no input '{}'; its inputs are {}", name,
              fmt::join(names, ", "));
}

} // namespace

void tile_flags::add_to(CLI::App& command) {
  constexpr const char* group = "Tiles";
  auto* tiles = add_parsed_option(
      command, "--tiles", choice, parse_tile_choice,
      "Cut the image into tiles that give exactly what the whole gives: auto, ROWSxCOLUMNS, or "
      "HEIGHTxWIDTHpx for what is read at once");
  tiles->group(group);
  command.add_option("--tiled-input", image, "Which input is the image; default: the first")
      ->needs(tiles)
      ->group(group);
  command.add_flag("--channels-last", last, "The image is [N,H,W,C], not [N,C,H,W]")
      ->needs(tiles)
      ->group(group);
}

result<tile_plan> tile_flags::plan(const std::shared_ptr<const graph>& model,
                                   std::span<const tensor_type> inputs, runtime& where) const {
  auto wish = *choice;
  if (auto* automatic = std::get_if<auto_tiles>(&wish)) {
    SHOAL_TRY(automatic->executors, executors_of(where));
  }
  image_axes axes;
  if (last) axes = {0, 1, 2};
  SHOAL_TRY(axes.input, find_input(*model, image));
  return tile_plan::make(model, inputs, wish, axes);
}

load_options for_tiles(load_options options, const tile_plan& plan) {
  options.inputs = plan.usual_inputs();
  options.steady = true;
  options.replicate = true;
  return options;
}

result<tiled_model> load_for_tiles(runtime& where, const std::shared_ptr<const graph>& model,
                                   const load_options& options, tile_plan plan) {
  constexpr int most_halvings = 6;
  for (int halvings = 0;; ++halvings) {
    auto ready = where.load(model, for_tiles(options, plan));
    if (ready) return tiled_model{std::move(plan), *std::move(ready)};
    if (ready.error().code() != errc::resource_exhausted || halvings == most_halvings)
      return std::move(ready).error();
    const auto crop = plan.usual_inputs()[plan.axes().input].dims;
    auto smaller = tile_plan::make(
        model, plan.inputs(),
        tile_extents{crop[plan.axes().rows] / 2, crop[plan.axes().columns] / 2}, plan.axes());
    if (!smaller) return std::move(ready).error();
    plan = *std::move(smaller);
  }
}

result<int> tiles_in_flight(runtime& where) {
  SHOAL_TRY(const auto executors, executors_of(where));
  return static_cast<int>(std::min<std::int64_t>(2 * executors + 1, 256));
}

} // namespace shoal
