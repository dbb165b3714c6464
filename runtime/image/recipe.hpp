#pragma once

#include "runtime/image/pillow_resize.hpp"
#include "runtime/tensor/image_tensor.hpp"
#include "runtime/tensor/labels.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace shoal {

// How pictures become the input of a model, and what its output means: what `docs/recipes.md`
// describes, read from a JSON file beside the model.

struct resize_step {
  enum class target : std::uint8_t { stretch, shorter_side, longer_side };
  target to = target::stretch;
  int width = 0;  ///< for `stretch`
  int height = 0; ///< for `stretch`
  int side = 0;   ///< of the side named; the other in proportion, rounded down
  pillow_filter filter = pillow_filter::bilinear;
  pillow_release release = pillow_release::up_to_12;
};

/// As large as fits into width x height in proportion, the rest filled.
struct letterbox_step {
  int width = 0;
  int height = 0;
  std::array<std::uint8_t, 3> fill{0, 0, 0}; ///< red, green, blue
  bool centred = true;                       ///< else in the left upper corner
  bool enlarge = true;                       ///< else a smaller picture keeps its size
  pillow_filter filter = pillow_filter::bilinear;
  pillow_release release = pillow_release::up_to_12;
};

/// The middle; an odd remainder loses one pixel more at the right or bottom.
struct centre_crop_step {
  int width = 0;
  int height = 0;
};

/// A batch of five: left upper, right upper, left lower, right lower corner, and the middle.
struct five_crop_step {
  int width = 0;
  int height = 0;
};

using recipe_step = std::variant<resize_step, letterbox_step, centre_crop_step, five_crop_step>;

/// The mean over the batch, before anything else: for five crops.
struct average_crops_step {};

struct softmax_step {
  int axis = -1; ///< from the end if negative
};

struct top_classes_step {
  std::size_t count = 1;
  std::string labels_file; ///< a file beside the recipe; empty: none
};

struct picture_step {
  image_output_options options;
};

/// Boxes in pixels of the model's input become boxes in pixels of the picture.
struct boxes_step {
  enum class format : std::uint8_t {
    corners,     ///< left, top, right, bottom
    centre_size, ///< centre x, centre y, width, height
    corner_size  ///< left, top, width, height
  };
  format numbers = format::corners;
  int axis = -1;           ///< where the four numbers of a box are
  int first = 0;           ///< index of the first of them on that axis
  bool normalised = false; ///< in [0, 1] of the model's input
  bool clip = true;        ///< to the picture
};

using output_step =
    std::variant<average_crops_step, softmax_step, top_classes_step, picture_step, boxes_step>;

struct recipe {
  std::vector<recipe_step> steps;
  image_input_options input; ///< neither resize nor crop: those are steps
  std::vector<output_step> outputs;
  std::vector<std::string>
      labels; ///< the content of the labels file, if the recipe came from a file
};

/// `malformed`, with the JSON path of what is wrong: unknown and repeated keys, wrong types,
/// numbers out of range, steps that contradict each other.
result<recipe> parse_recipe(byte_span json);
/// A file, and the labels beside it.
result<recipe> read_recipe(const std::filesystem::path& path);
/// `model.onnx` -> `model.recipe.json`
std::filesystem::path recipe_path_for(const std::filesystem::path& model);

/// Where a picture is in the input of a model: x there = x in the picture · scale_x + offset_x, and
/// so with y; pixel i covers [i, i + 1).
struct image_placement {
  double scale_x = 1;
  double scale_y = 1;
  double offset_x = 0;
  double offset_y = 0;
  int picture_width = 0;
  int picture_height = 0;
  int input_width = 0;
  int input_height = 0;

  friend bool operator==(const image_placement&, const image_placement&) = default;
};

struct prepared_image {
  tensor values;                           ///< [batch,channels,height,width] or with channels last
  std::vector<image_placement> placements; ///< one per item of the batch
};

/// The steps in their order, then what `image_to_tensor` does. Alpha is dropped first, as Pillow's
/// `convert("RGB")` does. `invalid_argument` for pictures that a step cannot take, as one smaller
/// than a crop.
result<prepared_image> prepare(const recipe& how, const image& picture);

/// What is left after the output steps: a tensor; the best classes of every item of the batch; a
/// picture.
using recipe_answer = std::variant<tensor, std::vector<std::vector<scored_class>>, image>;

/// `placements` are those of the input; only boxes need them.
result<recipe_answer> conclude(const recipe& how, const tensor& output,
                               std::span<const image_placement> placements = {});

} // namespace shoal
