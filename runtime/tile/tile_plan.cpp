#include "runtime/tile/tile_plan.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/plan/units.hpp"
#include "runtime/tile/steady_kernels.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace shoal {
namespace {

/// Late binding needs some tiles to hand out while the last ones run.
constexpr std::int64_t tiles_per_executor = 4;

std::int64_t length_of(const interval& i) {
  return i.last - i.first + 1;
}

std::int64_t longest_crop(const std::vector<tile_span>& spans) {
  std::int64_t longest = 0;
  for (const auto& span : spans) longest = std::max(longest, length_of(span.image));
  return longest;
}

result<std::shared_ptr<const bound_graph>> bind_image(const std::shared_ptr<const graph>& model,
                                                      std::span<const tensor_type> inputs) {
  std::vector<operand> operands;
  for (const auto& type : inputs) operands.push_back({type, nullptr, true});
  SHOAL_TRY(auto bound, bind_types(model, operands));
  return std::shared_ptr<const bound_graph>(std::move(bound));
}

/// The first node of the model whose bits may depend on the extents of the image.
std::string find_unsteady(const graph& model) {
  for (const auto& node : model.nodes())
    if (!can_be_steady(node))
      return fmt::format("{} '{}' sums in an order that may depend on the size of the image",
                         node.definition->name, node.name);
  return {};
}

} // namespace

result<tile_choice> parse_tile_choice(std::string_view text) {
  if (text == "auto") return auto_tiles{};
  auto rest = text;
  const bool pixels = rest.ends_with("px");
  if (pixels) rest.remove_suffix(2);
  std::int64_t sides[2] = {0, 0};
  bool good = false;
  if (const auto cross = rest.find('x'); cross != rest.npos) {
    const std::string_view words[2] = {rest.substr(0, cross), rest.substr(cross + 1)};
    good = true;
    for (int i = 0; i < 2; ++i) {
      const auto* end = words[i].data() + words[i].size();
      const auto [stop, problem] = std::from_chars(words[i].data(), end, sides[i]);
      good = good && problem == std::errc() && stop == end && sides[i] >= 1 &&
             sides[i] <= (std::int64_t{1} << 31);
    }
  }
  if (!good)
    return fail(
        errc::invalid_argument,
        "expected auto, ROWSxCOLUMNS as in 4x6, or HEIGHTxWIDTHpx as in 512x512px, got '{}'", text);
  if (pixels) return tile_extents{sides[0], sides[1]};
  return tile_grid{sides[0], sides[1]};
}

result<tile_plan> tile_plan::make(std::shared_ptr<const graph> model,
                                  std::span<const tensor_type> inputs, const tile_choice& choice,
                                  const image_axes& axes) {
  if (axes.input >= model->inputs().size() || inputs.size() != model->inputs().size())
    return fail(errc::invalid_argument, "expected the types of {} inputs, got {}",
                model->inputs().size(), inputs.size());
  tile_plan plan;
  plan.model_ = model;
  plan.axes_ = axes;
  plan.inputs_.assign(inputs.begin(), inputs.end());
  SHOAL_TRY(const auto whole, bind_image(model, inputs));
  plan.whole_ = use_of(*whole);
  SHOAL_TRY(plan.down_, crop_geometry::derive(whole, axes.input, axes.rows));
  SHOAL_TRY(plan.across_, crop_geometry::derive(whole, axes.input, axes.columns));
  const auto &down = *plan.down_, &across = *plan.across_;
  for (std::size_t o = 0; o < model->outputs().size(); ++o) {
    const auto& value = model->value(model->outputs()[o]);
    plan.outputs_.push_back(whole->value(model->outputs()[o]).type);
    const auto rows = down.output_axis(o), columns = across.output_axis(o);
    if (!rows || !columns || *rows == *columns)
      return fail(errc::unsupported,
                  "output '{}' is {}, none of whose axes are the image's: the image cannot go "
                  "through in tiles",
                  value.name, to_string(plan.outputs_.back()));
    plan.output_axes_.push_back({o, *rows, *columns});
  }
  plan.inexact_ = find_unsteady(*model);
  plan.halo_ = {down.reach() / 2, across.reach() / 2};
  SHOAL_CHECK(plan.choose(choice));
  SHOAL_CHECK(plan.add_up());
  return plan;
}

result<void> tile_plan::choose(const tile_choice& choice) {
  if (const auto* automatic = std::get_if<auto_tiles>(&choice)) return divide(*automatic);
  if (const auto* grid = std::get_if<tile_grid>(&choice)) {
    SHOAL_TRY(rows_, divide_axis(*down_, outputs_.size(), grid->rows));
    SHOAL_TRY(columns_, divide_axis(*across_, outputs_.size(), grid->columns));
    return {};
  }
  const auto& extents = std::get<tile_extents>(choice);
  SHOAL_TRY(rows_, cover_axis(*down_, outputs_.size(), extents.height));
  SHOAL_TRY(columns_, cover_axis(*across_, outputs_.size(), extents.width));
  return {};
}

/// Square tiles, smaller and smaller, until they fit and there are enough of them; the smallest
/// possible if that is never so.
result<void> tile_plan::divide(const auto_tiles& choice) {
  const auto enough = choice.executors > 1 ? choice.executors * tiles_per_executor : 1;
  auto side = static_cast<double>(std::max(down_->extent(), across_->extent()));
  for (;;) {
    const auto pieces = [&](std::int64_t extent) {
      return static_cast<std::int64_t>(std::ceil(static_cast<double>(extent) / side));
    };
    auto rows = divide_axis(*down_, outputs_.size(), pieces(down_->extent()));
    auto columns = divide_axis(*across_, outputs_.size(), pieces(across_->extent()));
    const bool first = rows_.empty();
    if (!rows || !columns) {
      if (first) return rows ? std::move(columns).error() : std::move(rows).error();
      return {}; // too small: what came before has to do
    }
    rows_ = *std::move(rows);
    columns_ = *std::move(columns);
    SHOAL_TRY(const auto use, use_of_crop(longest_crop(rows_), longest_crop(columns_)));
    const bool fits = use.peak_bytes <= choice.memory_bytes;
    if (fits && static_cast<std::int64_t>(count()) >= enough) return {};
    // Memory goes with the area.
    const auto too_large = static_cast<double>(use.peak_bytes) /
                           static_cast<double>(std::max<std::uint64_t>(choice.memory_bytes, 1));
    const auto next = side / std::clamp(std::sqrt(too_large), 1.1, 8.0);
    const auto floor = 2 * static_cast<double>(std::max(halo_.first, halo_.second));
    if (next < std::max(floor, 8.0)) return {};
    side = next;
  }
}

result<graph_use> tile_plan::use_of_crop(std::int64_t height, std::int64_t width) const {
  auto inputs = inputs_;
  inputs[axes_.input].dims[axes_.rows] = height;
  inputs[axes_.input].dims[axes_.columns] = width;
  SHOAL_TRY(const auto bound, bind_image(model_, inputs));
  return use_of(*bound);
}

result<void> tile_plan::add_up() {
  std::map<std::int64_t, int> heights, widths;
  for (const auto& span : rows_) ++heights[length_of(span.image)];
  for (const auto& span : columns_) ++widths[length_of(span.image)];
  for (const auto& [height, as_high] : heights)
    for (const auto& [width, as_wide] : widths) {
      SHOAL_TRY(const auto use, use_of_crop(height, width));
      tiled_flops_ += use.flops * as_high * as_wide;
      if (use.peak_bytes > largest_tile_.peak_bytes) largest_tile_ = use;
    }
  return {};
}

std::vector<tensor_type> tile_plan::usual_inputs() const {
  auto inputs = inputs_;
  inputs[axes_.input].dims[axes_.rows] = length_of(rows_.front().image);
  inputs[axes_.input].dims[axes_.columns] = length_of(columns_.front().image);
  return inputs;
}

std::string render_tiles(const tile_plan& plan) {
  const auto& image = plan.image().dims;
  const auto [halo_rows, halo_columns] = plan.halo();
  auto text = fmt::format(
      "image {}x{}, {} tiles in {} rows and {} columns, each of {}x{} at most\n"
      "halo {} rows, {} columns; arithmetic {:+.1f} %; activations {} a tile, {} the whole\n",
      image[plan.axes().rows], image[plan.axes().columns], plan.count(), plan.rows().size(),
      plan.columns().size(), longest_crop(plan.rows()), longest_crop(plan.columns()), halo_rows,
      halo_columns, plan.overcompute() * 100, human_bytes(plan.tile_bytes()),
      human_bytes(plan.whole_bytes()));
  text += plan.inexact().empty()
              ? "guarantee: bit-identical to the whole image by the same kernels\n"
              : fmt::format("guarantee: within rounding of the whole image; {}\n", plan.inexact());
  return text;
}

} // namespace shoal
