#include "runtime/base/fail.hpp"
#include "runtime/image/copy_window.hpp"
#include "runtime/image/recipe.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// A picture on its way, and where in it the original is.
struct placed_image {
  image picture;
  image_placement place;
};

/// Red, green, blue; or gray, if `keep_gray`.
result<image> without_alpha(const image& picture, bool keep_gray) {
  if (picture.channels == 3 || (picture.channels == 1 && keep_gray)) return picture;
  SHOAL_TRY(auto plain, make_image(picture.width, picture.height, 3));
  const auto from = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < plain.pixels.size(); ++i)
    plain.pixels[i] = picture.pixels[i / 3 * from + (from == 1 ? 0 : i % 3)];
  return plain;
}

bool fills_with_colour(const recipe& how) {
  return std::ranges::any_of(how.steps, [](const recipe_step& step) {
    const auto* box = std::get_if<letterbox_step>(&step);
    return box != nullptr && (box->fill[0] != box->fill[1] || box->fill[1] != box->fill[2]);
  });
}

/// `step` says with which filter.
template <class Step>
result<void> resize(placed_image& on, std::int64_t width, std::int64_t height, const Step& step) {
  const auto& from = on.picture;
  if (width > static_cast<std::int64_t>(default_max_pixels) ||
      height > static_cast<std::int64_t>(default_max_pixels))
    return fail(errc::invalid_argument, "cannot resize {} x {} pixels to {} x {}", from.width,
                from.height, width, height);
  const double x = static_cast<double>(width) / from.width;
  const double y = static_cast<double>(height) / from.height;
  SHOAL_TRY(on.picture, pillow_resize(from, static_cast<int>(width), static_cast<int>(height),
                                      step.filter, step.release));
  on.place.scale_x *= x;
  on.place.offset_x *= x;
  on.place.scale_y *= y;
  on.place.offset_y *= y;
  return {};
}

result<void> apply(const resize_step& step, placed_image& on) {
  if (step.to == resize_step::target::stretch) return resize(on, step.width, step.height, step);
  const std::int64_t width = on.picture.width, height = on.picture.height;
  const bool by_width = (step.to == resize_step::target::shorter_side) == (width <= height);
  const auto other =
      std::max<std::int64_t>(1, by_width ? step.side * height / width : step.side * width / height);
  return by_width ? resize(on, step.side, other, step) : resize(on, other, step.side, step);
}

result<void> apply(const letterbox_step& step, placed_image& on) {
  double ratio = std::min(static_cast<double>(step.width) / on.picture.width,
                          static_cast<double>(step.height) / on.picture.height);
  if (!step.enlarge) ratio = std::min(ratio, 1.0);
  const auto fitted = [&](int length, int most) {
    return std::clamp(static_cast<int>(std::lround(length * ratio)), 1, most);
  };
  SHOAL_CHECK(resize(on, fitted(on.picture.width, step.width),
                     fitted(on.picture.height, step.height), step));
  SHOAL_TRY(auto box, make_image(step.width, step.height, on.picture.channels));
  const auto channels = static_cast<std::size_t>(box.channels);
  for (std::size_t i = 0; i < box.pixels.size(); ++i) box.pixels[i] = step.fill[i % channels];
  const image_window place{step.centred ? (step.width - on.picture.width) / 2 : 0,
                           step.centred ? (step.height - on.picture.height) / 2 : 0,
                           on.picture.width, on.picture.height};
  copy_window({on.picture.pixels.data(), place}, {box.pixels.data(), {0, 0, box.width, box.height}},
              place, box.channels);
  on.picture = std::move(box);
  on.place.offset_x += place.x;
  on.place.offset_y += place.y;
  return {};
}

result<placed_image> crop(const placed_image& from, const image_window& window) {
  SHOAL_TRY(auto part, make_image(window.width, window.height, from.picture.channels));
  copy_window({from.picture.pixels.data(), {0, 0, from.picture.width, from.picture.height}},
              {part.pixels.data(), window}, window, part.channels);
  placed_image cropped{std::move(part), from.place};
  cropped.place.offset_x -= window.x;
  cropped.place.offset_y -= window.y;
  return cropped;
}

/// How much of the picture is left over.
template <class Step>
result<std::pair<int, int>> remainder(const Step& step, const image& picture) {
  if (step.width > picture.width || step.height > picture.height)
    return fail(errc::invalid_argument, "cannot crop {} x {} pixels out of {} x {}", step.width,
                step.height, picture.width, picture.height);
  return std::pair(picture.width - step.width, picture.height - step.height);
}

result<void> apply(const centre_crop_step& step, placed_image& on) {
  SHOAL_TRY(const auto rest, remainder(step, on.picture));
  SHOAL_TRY(on, crop(on, {rest.first / 2, rest.second / 2, step.width, step.height}));
  return {};
}

result<std::vector<placed_image>> five_crops(const five_crop_step& step, const placed_image& of) {
  SHOAL_TRY(const auto rest, remainder(step, of.picture));
  const auto [right, bottom] = rest;
  std::vector<placed_image> crops;
  for (const auto& [x, y] :
       {std::pair{0, 0}, {right, 0}, {0, bottom}, {right, bottom}, {right / 2, bottom / 2}}) {
    SHOAL_TRY(crops.emplace_back(), crop(of, {x, y, step.width, step.height}));
  }
  return crops;
}

/// The tensors of the items, which are alike, behind each other.
result<tensor> make_batch(const std::vector<placed_image>& items,
                          const image_input_options& options) {
  if (items.size() == 1) return image_to_tensor(items.front().picture, options);
  tensor batch;
  std::size_t at = 0;
  for (const auto& item : items) {
    SHOAL_TRY(const auto one, image_to_tensor(item.picture, options));
    if (batch.empty()) {
      auto type = one.type();
      type.dims[0] = static_cast<std::int64_t>(items.size());
      SHOAL_TRY(batch, tensor::allocate(type));
    }
    std::copy_n(one.data(), one.byte_size(), batch.mutable_data() + at);
    at += one.byte_size();
  }
  return batch;
}

} // namespace

result<prepared_image> prepare(const recipe& how, const image& picture) {
  SHOAL_CHECK(check_image(picture));
  placed_image on;
  SHOAL_TRY(on.picture, without_alpha(picture, !fills_with_colour(how)));
  on.place.picture_width = picture.width;
  on.place.picture_height = picture.height;
  std::vector<placed_image> items;
  for (const auto& step : how.steps) {
    if (const auto* five = std::get_if<five_crop_step>(&step)) {
      SHOAL_TRY(items, five_crops(*five, on));
      break;
    }
    if (const auto* resizing = std::get_if<resize_step>(&step)) SHOAL_CHECK(apply(*resizing, on));
    if (const auto* box = std::get_if<letterbox_step>(&step)) SHOAL_CHECK(apply(*box, on));
    if (const auto* crop = std::get_if<centre_crop_step>(&step)) SHOAL_CHECK(apply(*crop, on));
  }
  if (items.empty()) items.push_back(std::move(on));
  prepared_image prepared;
  SHOAL_TRY(prepared.values, make_batch(items, how.input));
  for (auto& item : items) {
    item.place.input_width = item.picture.width;
    item.place.input_height = item.picture.height;
    prepared.placements.push_back(item.place);
  }
  return prepared;
}

} // namespace shoal
