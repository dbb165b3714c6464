#include "apps/command/image_flags.hpp"

#include "apps/command/parsed_option.hpp"
#include "runtime/base/fail.hpp"

#include <charconv>

namespace shoal {
namespace {

struct extent {
  int width = 0;
  int height = 0;
};

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

result<extent> parse_extent(std::string_view text) {
  const auto x = text.find('x');
  extent size;
  if (x == std::string_view::npos || !read_number(text.substr(0, x), size.width) ||
      !read_number(text.substr(x + 1), size.height) || size.width < 1 || size.height < 1)
    return fail(errc::invalid_argument, "expected WIDTHxHEIGHT, as in 224x224, got '{}'", text);
  return size;
}

/// One number for all channels, or one each.
result<std::array<float, 3>> parse_channels(std::string_view text) {
  std::array<float, 3> values{};
  std::size_t count = 0;
  const auto wrong = fail(errc::invalid_argument,
                          "expected one number, or three as in 0.5,0.5,0.5, got '{}'", text);
  for (auto rest = text;; ++count) {
    const auto comma = rest.find(',');
    if (count == 3 || !read_number(rest.substr(0, comma), values[count])) return wrong;
    if (comma == std::string_view::npos) break;
    rest = rest.substr(comma + 1);
  }
  if (count == 1) return wrong;
  if (count == 0) values[1] = values[2] = values[0];
  return values;
}

const std::vector<std::pair<std::string, image_layout>> layouts{{"nchw", image_layout::nchw},
                                                                {"nhwc", image_layout::nhwc}};

} // namespace

void image_flags::add_to(CLI::App& command) {
  static const std::vector<std::pair<std::string, image_channels>> channel_names{
      {"rgb", image_channels::rgb}, {"bgr", image_channels::bgr}, {"luma", image_channels::luma}};
  static const std::vector<std::pair<std::string, resize_filter>> filters{
      {"nearest", resize_filter::nearest},
      {"bilinear", resize_filter::bilinear},
      {"bicubic", resize_filter::bicubic},
      {"area", resize_filter::area}};
  constexpr const char* group = "Pictures as inputs";
  // Whether the extents are for a resize or a crop is all that differs.
  auto* stretch = command.add_option_function<std::string>(
      "--resize",
      [this](const std::string& words) {
        const auto size = parse_extent(words);
        if (!size) throw CLI::ValidationError("--resize", size.error().message());
        options.resize = resize_mode::stretch;
        options.resize_width = size->width;
        options.resize_height = size->height;
      },
      "WIDTHxHEIGHT to stretch the picture to");
  auto* shorter = command.add_option_function<int>(
      "--shorter-side",
      [this](int side) {
        options.resize = resize_mode::shorter_side;
        options.shorter_side = side;
      },
      "Length of the shorter side, the other in proportion");
  auto* crop = command.add_option_function<std::string>(
      "--crop",
      [this](const std::string& words) {
        const auto size = parse_extent(words);
        if (!size) throw CLI::ValidationError("--crop", size.error().message());
        options.crop_width = size->width;
        options.crop_height = size->height;
      },
      "WIDTHxHEIGHT to cut out of the middle, after resizing");
  stretch->group(group)->excludes(shorter);
  shorter->group(group)->check(CLI::Range(1, 1 << 20));
  crop->group(group);
  add_word_option(command, "--filter", options.filter, filters,
                  "nearest, bilinear (the default), bicubic or area")
      ->group(group);
  add_word_option(command, "--channels", options.channels, channel_names,
                  "rgb (the default), bgr or luma")
      ->group(group);
  add_word_option(command, "--layout", options.layout, layouts, "nchw (the default) or nhwc")
      ->group(group);
  command
      .add_option("--scale", scale,
                  "Each value of 0 to 255 becomes (value * scale - mean) / std; default: 1/255, "
                  "or 1 for models that take bytes")
      ->group(group);
  add_parsed_option(command, "--mean", options.mean, parse_channels,
                    "A,B,C: per channel; default 0")
      ->group(group);
  add_parsed_option(command, "--std", options.deviation, parse_channels,
                    "A,B,C: per channel; default 1")
      ->group(group);
}

image_input_options image_flags::for_type(dtype type) const {
  auto chosen = options;
  chosen.type = type;
  chosen.scale = scale.value_or(type == dtype::u8 ? 1.0f : 1.0f / 255.0f);
  return chosen;
}

void picture_flags::add_to(CLI::App& command) {
  constexpr const char* group = "Outputs as pictures";
  command.add_option("--white", options.white, "The value of white: 1 or 255")
      ->check(CLI::PositiveNumber)
      ->group(group)
      ->capture_default_str();
  add_word_option(command, "--output-layout", options.layout, layouts, "nchw (the default) or nhwc")
      ->group(group);
  command.add_flag("--output-bgr", options.bgr, "The channels are blue, green, red")->group(group);
}

} // namespace shoal
