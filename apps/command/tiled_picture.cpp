#include "apps/command/tiled_picture.hpp"

#include "apps/command/answer_summary.hpp"
#include "apps/command/named_words.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/tile/picture_ends.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <limits>

namespace shoal {
namespace {

std::string ending_of(const std::filesystem::path& file) {
  auto ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

bool is_tiff(const std::filesystem::path& file) {
  const auto ending = ending_of(file);
  return ending == ".tif" || ending == ".tiff";
}

bool is_picture(const std::filesystem::path& file) {
  const auto ending = ending_of(file);
  return is_tiff(file) || ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

/// Names a file as it is now.
std::string version_of(const std::filesystem::path& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  const auto written = std::filesystem::last_write_time(file, unknown).time_since_epoch().count();
  return fmt::format("{} bytes of {}", bytes, written);
}

/// What the result depends on: a result that was begun otherwise is not gone on with.
std::string key_of(const tiled_picture& how, const std::filesystem::path& picture,
                   const tile_plan& plan, const image_input_options& in) {
  const auto& out = how.outputs.pictures.options;
  return fmt::format("model {}; picture {}; {} by {} tiles; values {} {} {} {} {} {}; white {} {}",
                     version_of(how.what.file), version_of(picture), plan.rows().size(),
                     plan.columns().size(), static_cast<int>(in.channels),
                     static_cast<int>(in.layout), static_cast<int>(in.type), in.scale,
                     fmt::join(in.mean, " "), fmt::join(in.deviation, " "), out.white, out.bgr);
}

result<image_extent> extent_of(const tile_plan& plan) {
  const auto& type = plan.outputs()[0];
  const auto axes = plan.output_axes(0);
  const auto height = type.dims[axes.rows], width = type.dims[axes.columns];
  const auto channels = type.dims.element_count() / std::max<std::int64_t>(height * width, 1);
  const bool alone = type.dims.rank() == 3 || (type.dims.rank() == 4 && type.dims[0] == 1);
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  if (!alone || (channels != 1 && channels != 3 && channels != 4) || height < 1 || height > most ||
      width < 1 || width > most)
    return fail(errc::unsupported, "the first output, {}, is no picture of 1, 3 or 4 channels",
                to_string(type));
  return image_extent{static_cast<int>(width), static_cast<int>(height),
                      static_cast<int>(channels)};
}

/// The type of the input for the whole picture.
result<tensor_type> type_of(const graph& model, const image_source& picture,
                            const image_input_options& how) {
  if (model.inputs().size() != 1)
    return fail(errc::unsupported,
                "a picture goes through by windows alone: the model takes {} inputs",
                model.inputs().size());
  const std::int64_t channels = how.channels == image_channels::luma ? 1 : 3;
  tensor_type type{how.type, {1, channels, picture.height(), picture.width()}};
  if (how.layout == image_layout::nhwc)
    type.dims = {1, picture.height(), picture.width(), channels};
  SHOAL_CHECK(check_inputs(model, {&type, 1}));
  return type;
}

} // namespace

bool tiled_picture::streams() const {
  if (!tiles.used() || inputs.files.size() != 1 || outputs.files.size() != 1) return false;
  const auto& how = inputs.pictures.options;
  const bool as_it_is =
      !inputs.how && how.resize == resize_mode::none && how.crop_width == 0 && how.crop_height == 0;
  const std::filesystem::path from = split_named(inputs.files[0]).words;
  const std::filesystem::path to = split_named(outputs.files[0]).words;
  return is_picture(from) && as_it_is && outputs.top == 0 && !outputs.format &&
         (is_tiff(to) || ending_of(to) == ".png");
}

result<void> tiled_picture::run() const {
  progress_line progress;
  SHOAL_TRY(const auto imported, what.import(where, progress));
  const std::filesystem::path file = split_named(inputs.files[0]).words;
  SHOAL_TRY(const auto picture, open_image_source(file));
  const auto& input = imported->value(imported->inputs().front());
  const auto how_in = inputs.pictures.for_type(input.type.value_or(dtype::f32));
  SHOAL_TRY(const auto type, type_of(*imported, *picture, how_in));
  SHOAL_TRY(const auto runtime, where.open(progress));
  auto cut = tiles;
  cut.last = how_in.layout == image_layout::nhwc;
  progress.show("looking how the picture can be cut");
  SHOAL_TRY(auto wish, cut.plan(imported, {&type, 1}, *runtime));
  SHOAL_TRY(const auto loaded,
            load_for_tiles(*runtime, imported, what.options({}, progress), std::move(wish)));
  const auto& [plan, ready] = loaded;
  SHOAL_TRY(const auto extent, extent_of(plan));
  image_sink_options keep;
  keep.key = key_of(*this, file, plan, how_in);
  SHOAL_TRY(const auto result_file,
            create_image_sink(split_named(outputs.files[0]).words, extent, keep));
  progress.clear();
  if (show_plan) std::fputs((render_tiles(plan) + ready.plan_table()).c_str(), stderr);
  if (!result_file->done().empty())
    std::fprintf(stderr, "going on with %zu tiles that are there\n", result_file->done().size());

  auto how_out = outputs.pictures.options;
  how_out.layout = how_in.layout;
  picture_source from(*picture, how_in);
  picture_sink to(plan, *result_file, how_out);
  tile_run_options how;
  SHOAL_TRY(how.in_flight, tiles_in_flight(*runtime));
  how.each.timeout = timeout;
  how.on_progress = [&](const tile_progress& p) {
    progress.show(fmt::format("tile {} of {} ({} %)", p.done, p.total, 100 * p.done / p.total));
  };
  SHOAL_TRY(const auto report, infer_tiles(ready, plan, std::vector<tensor>(1), from, to, how));
  progress.clear();
  SHOAL_CHECK(result_file->finish());
  if (trace) std::fputs(describe_tiles(report).c_str(), stderr);
  return {};
}

} // namespace shoal
