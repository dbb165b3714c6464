#include "runtime/base/file.hpp"
#include "runtime/image/json_fields.hpp"
#include "runtime/image/recipe.hpp"

namespace shoal {
namespace {

using nlohmann::json;

constexpr std::uint64_t max_recipe_bytes = 1 << 20;
constexpr std::size_t max_steps = 16;
constexpr int max_side = 1 << 16;
constexpr int max_rank = 8;
constexpr int max_depth = 16; // of nested values: messages walk through them by recursion

template <class Value>
using word_list = std::vector<std::pair<std::string_view, Value>>;

const word_list<pillow_filter>& filter_words() {
  static const word_list<pillow_filter> words{
      {"nearest", pillow_filter::nearest},   {"box", pillow_filter::box},
      {"bilinear", pillow_filter::bilinear}, {"hamming", pillow_filter::hamming},
      {"bicubic", pillow_filter::bicubic},   {"lanczos", pillow_filter::lanczos}};
  return words;
}

const word_list<image_layout>& layout_words() {
  static const word_list<image_layout> words{{"nchw", image_layout::nchw},
                                             {"nhwc", image_layout::nhwc}};
  return words;
}

/// Three numbers, or one for all.
result<void> read_channels(json_fields& fields, const char* name, std::array<float, 3>& to) {
  const auto* value = fields.find(name);
  if (value == nullptr) return {};
  const auto path = fields.path_of(name);
  if (value->is_array() && value->size() == 3) {
    for (std::size_t i = 0; i < 3; ++i)
      SHOAL_CHECK(json_fields::number((*value)[i], fmt::format("{}[{}]", path, i), to[i]));
    return {};
  }
  if (!value->is_number())
    return fail(errc::malformed, "{}: expected a number, or an array of three, got {}", path,
                shown(*value));
  SHOAL_CHECK(json_fields::number(*value, path, to[0]));
  to[1] = to[2] = to[0];
  return {};
}

result<void> read_filter(json_fields& fields, pillow_filter& filter, pillow_release& release) {
  SHOAL_CHECK(fields.read("filter", filter, filter_words()));
  int version = 12;
  SHOAL_CHECK(fields.read("pillow", version, 12, 13));
  release = version == 12 ? pillow_release::up_to_12 : pillow_release::from_13;
  return {};
}

result<recipe_step> read_resize(json_fields& fields) {
  resize_step step;
  const bool shorter = fields.has("shorter_side");
  const bool longer = fields.has("longer_side");
  const bool stretch = fields.has("width") || fields.has("height");
  if (shorter + longer + stretch != 1)
    return fail(errc::malformed,
                "{}: expected either 'width' and 'height' or 'shorter_side' or 'longer_side'",
                fields.path());
  if (stretch) {
    SHOAL_CHECK(fields.require("width", step.width, 1, max_side));
    SHOAL_CHECK(fields.require("height", step.height, 1, max_side));
  } else {
    step.to = shorter ? resize_step::target::shorter_side : resize_step::target::longer_side;
    SHOAL_CHECK(fields.require(shorter ? "shorter_side" : "longer_side", step.side, 1, max_side));
  }
  SHOAL_CHECK(read_filter(fields, step.filter, step.release));
  return recipe_step(step);
}

result<recipe_step> read_letterbox(json_fields& fields) {
  letterbox_step step;
  SHOAL_CHECK(fields.require("width", step.width, 1, max_side));
  SHOAL_CHECK(fields.require("height", step.height, 1, max_side));
  std::array<float, 3> fill{0, 0, 0};
  SHOAL_CHECK(read_channels(fields, "fill", fill));
  for (std::size_t c = 0; c < 3; ++c) {
    if (!(fill[c] >= 0 && fill[c] <= 255 && fill[c] == std::floor(fill[c])))
      return fail(errc::malformed, "{}: expected integers from 0 to 255, got {}",
                  fields.path_of("fill"), shown(*fields.find("fill")));
    step.fill[c] = static_cast<std::uint8_t>(fill[c]);
  }
  SHOAL_CHECK(
      fields.read("place", step.centred, word_list<bool>{{"centre", true}, {"corner", false}}));
  SHOAL_CHECK(fields.read("enlarge", step.enlarge));
  SHOAL_CHECK(read_filter(fields, step.filter, step.release));
  return recipe_step(step);
}

template <class Step>
result<recipe_step> read_crop(json_fields& fields) {
  Step step;
  SHOAL_CHECK(fields.require("width", step.width, 1, max_side));
  SHOAL_CHECK(fields.require("height", step.height, 1, max_side));
  return recipe_step(step);
}

result<output_step> read_average_crops(json_fields&) {
  output_step step; // made in place: GCC 12 with sanitizers doubts the temporary
  step.emplace<average_crops_step>();
  return step;
}

result<output_step> read_softmax(json_fields& fields) {
  softmax_step step;
  SHOAL_CHECK(fields.read("axis", step.axis, -max_rank, max_rank - 1));
  return output_step(step);
}

result<output_step> read_top_classes(json_fields& fields) {
  top_classes_step step;
  int count = 0;
  SHOAL_CHECK(fields.require("count", count, 1, 1 << 20));
  step.count = static_cast<std::size_t>(count);
  SHOAL_CHECK(fields.read("labels", step.labels_file));
  // A recipe may come with a model from anywhere: it names no files elsewhere.
  const auto& name = step.labels_file;
  if (fields.has("labels") &&
      (name.empty() || name == "." || name == ".." ||
       name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos))
    return fail(errc::malformed, "{}: expected the name of a file beside the recipe, got {}",
                fields.path_of("labels"), shown(json(name)));
  return output_step(step);
}

result<output_step> read_picture(json_fields& fields) {
  picture_step step;
  SHOAL_CHECK(fields.read("white", step.options.white));
  if (!(step.options.white > 0))
    return fail(errc::malformed, "{}: expected a positive number, got {}", fields.path_of("white"),
                shown(*fields.find("white")));
  SHOAL_CHECK(fields.read("bgr", step.options.bgr));
  SHOAL_CHECK(fields.read("layout", step.options.layout, layout_words()));
  return output_step(step);
}

result<output_step> read_boxes(json_fields& fields) {
  using enum boxes_step::format;
  boxes_step step;
  SHOAL_CHECK(fields.read("format", step.numbers,
                          word_list<boxes_step::format>{{"corners", corners},
                                                        {"centre_size", centre_size},
                                                        {"corner_size", corner_size}}));
  SHOAL_CHECK(fields.read("axis", step.axis, -max_rank, max_rank - 1));
  SHOAL_CHECK(fields.read("first", step.first, 0, 1 << 20));
  SHOAL_CHECK(fields.read("normalised", step.normalised));
  SHOAL_CHECK(fields.read("clip", step.clip));
  return output_step(step);
}

template <class Step>
struct named_step {
  const char* name;
  result<Step> (*read)(json_fields&);
};

constexpr std::array<named_step<recipe_step>, 4> input_steps{
    {{"resize", read_resize},
     {"letterbox", read_letterbox},
     {"centre_crop", read_crop<centre_crop_step>},
     {"five_crop", read_crop<five_crop_step>}}};

constexpr std::array<named_step<output_step>, 5> output_steps{
    {{"average_crops", read_average_crops},
     {"softmax", read_softmax},
     {"top_k", read_top_classes},
     {"image", read_picture},
     {"boxes", read_boxes}}};

/// An array of objects with one key each, the name of the step.
template <class Step, std::size_t Count>
result<std::vector<Step>> read_steps(const json& value, const std::string& path,
                                     const std::array<named_step<Step>, Count>& known) {
  if (!value.is_array() || value.size() > max_steps)
    return fail(errc::malformed, "{}: expected an array of at most {} steps, got {}", path,
                max_steps, shown(value));
  std::vector<Step> steps;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto at = fmt::format("{}[{}]", path, i);
    SHOAL_TRY(auto outer, json_fields::of(value[i], at));
    if (value[i].size() != 1)
      return fail(errc::malformed, "{}: expected one key, the name of a step, got {}", at,
                  shown(value[i]));
    for (const auto& step : known) {
      const auto* content = outer.find(step.name);
      if (content == nullptr) continue;
      SHOAL_TRY(auto fields, json_fields::of(*content, outer.path_of(step.name)));
      SHOAL_TRY(steps.emplace_back(), step.read(fields));
      SHOAL_CHECK(fields.check_rest());
    }
    SHOAL_CHECK(outer.check_rest());
  }
  return steps;
}

result<void> read_input(const json& value, recipe& made) {
  SHOAL_TRY(auto fields, json_fields::of(value, "$.input"));
  if (const auto* steps = fields.find("steps")) {
    SHOAL_TRY(made.steps, read_steps(*steps, "$.input.steps", input_steps));
  }
  auto& input = made.input;
  SHOAL_CHECK(fields.read("colour", input.channels,
                          word_list<image_channels>{{"rgb", image_channels::rgb},
                                                    {"bgr", image_channels::bgr},
                                                    {"luma", image_channels::luma}}));
  SHOAL_CHECK(fields.read("layout", input.layout, layout_words()));
  SHOAL_CHECK(fields.read(
      "dtype", input.type,
      word_list<dtype>{{"float32", dtype::f32}, {"float16", dtype::f16}, {"uint8", dtype::u8}}));
  if (input.type == dtype::u8) input.scale = 1;
  SHOAL_CHECK(fields.read("scale", input.scale));
  SHOAL_CHECK(read_channels(fields, "mean", input.mean));
  SHOAL_CHECK(read_channels(fields, "std", input.deviation));
  for (const float deviation : input.deviation)
    if (deviation == 0)
      return fail(errc::malformed, "$.input.std: expected numbers other than 0, got {}",
                  shown(*fields.find("std")));
  for (const char* name : {"scale", "mean", "std"})
    if (input.type == dtype::u8 && fields.has(name))
      return fail(errc::malformed, "$.input.{}: contradicts dtype \"uint8\", which takes 0 to 255",
                  name);
  return fields.check_rest();
}

bool is_last(const recipe_step& step) {
  return std::holds_alternative<five_crop_step>(step);
}

bool is_last(const output_step& step) {
  return std::holds_alternative<top_classes_step>(step) ||
         std::holds_alternative<picture_step>(step) || std::holds_alternative<boxes_step>(step);
}

/// Nothing may come after a step whose result is no picture, or no tensor, any more.
template <class Step>
result<void> check_last(const std::vector<Step>& steps, std::string_view path,
                        std::string_view names) {
  for (std::size_t i = 0; i + 1 < steps.size(); ++i)
    if (is_last(steps[i]))
      return fail(errc::malformed, "{}[{}]: no step may follow {}", path, i + 1, names);
  return {};
}

result<void> check_agreement(const recipe& made) {
  SHOAL_CHECK(check_last(made.steps, "$.input.steps", "five_crop"));
  SHOAL_CHECK(check_last(made.outputs, "$.output", "top_k, image or boxes"));
  const bool five = !made.steps.empty() && is_last(made.steps.back());
  bool softmax = false;
  for (std::size_t i = 0; i < made.outputs.size(); ++i) {
    const auto& step = made.outputs[i];
    const auto wrong = [&](std::string_view why) {
      return fail(errc::malformed, "$.output[{}]: {}", i, why);
    };
    if (std::holds_alternative<average_crops_step>(step) && !five)
      return wrong("average_crops needs five_crop among the steps of the input");
    if (std::holds_alternative<average_crops_step>(step) && i > 0 &&
        std::holds_alternative<average_crops_step>(made.outputs[i - 1]))
      return wrong("the crops are averaged already");
    if (std::holds_alternative<softmax_step>(step) && std::exchange(softmax, true))
      return wrong("softmax a second time");
    if (std::holds_alternative<picture_step>(step) && (softmax || five))
      return wrong("image contradicts softmax and five_crop");
    if (std::holds_alternative<boxes_step>(step) && (softmax || five))
      return wrong("boxes contradict softmax and five_crop");
  }
  return {};
}

/// Objects must not have a key twice: which of the two would count is anybody's guess.
result<json> parse_strictly(std::string_view text) {
  std::vector<std::set<std::string>> open;
  std::string twice;
  bool deep = false;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > max_depth) deep = true;
    if (deep) return false;
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
      twice = shown(parsed);
    return true;
  };
  try {
    auto parsed = json::parse(text, watch);
    if (deep) return fail(errc::malformed, "recipe: nested deeper than {} levels", max_depth);
    if (!twice.empty()) return fail(errc::malformed, "recipe: key {} is there twice", twice);
    return parsed;
  } catch (const json::exception& wrong) {
    return fail(errc::malformed, "recipe: no JSON: {}", wrong.what());
  }
}

} // namespace

result<recipe> parse_recipe(byte_span bytes) {
  if (bytes.size() > max_recipe_bytes)
    return fail(errc::resource_exhausted, "recipe of {} bytes, more than the {} allowed",
                bytes.size(), max_recipe_bytes);
  SHOAL_TRY(const auto document, parse_strictly(text_of(bytes)));
  SHOAL_TRY(auto fields, json_fields::of(document, "$"));
  int version = 0;
  SHOAL_CHECK(fields.require("version", version, 1, 1));
  recipe made;
  if (const auto* input = fields.find("input")) SHOAL_CHECK(read_input(*input, made));
  if (const auto* output = fields.find("output")) {
    SHOAL_TRY(made.outputs, read_steps(*output, "$.output", output_steps));
  }
  SHOAL_CHECK(fields.check_rest());
  SHOAL_CHECK(check_agreement(made));
  return made;
}

result<recipe> read_recipe(const std::filesystem::path& path) {
  SHOAL_TRY(const auto text, read_file(path, max_recipe_bytes));
  auto made = parse_recipe(bytes_of(text));
  if (!made) return std::move(made).error().within(path.string());
  for (const auto& step : made->outputs) {
    const auto* classes = std::get_if<top_classes_step>(&step);
    if (classes == nullptr || classes->labels_file.empty()) continue;
    SHOAL_TRY(made->labels, read_labels(path.parent_path() / classes->labels_file));
  }
  return made;
}

std::filesystem::path recipe_path_for(const std::filesystem::path& model) {
  auto path = model;
  return path.replace_extension(".recipe.json");
}

} // namespace shoal
