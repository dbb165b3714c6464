#include "runtime/image/tiff_header.hpp"

#include <algorithm>

namespace shoal {
namespace {

constexpr std::uint64_t strip_bytes = 1 << 20; ///< about; readers hold a strip
constexpr std::uint64_t max_strips = 1 << 16;  ///< the directory has two numbers for each
constexpr std::uint64_t pixel_alignment = 64;

/// A number of 2, 4 or 8 bytes, the least first.
void put(std::vector<std::byte>& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> 8 * i));
}

enum class field_type : std::uint16_t { half_word = 3, word = 4, ratio = 5, long_word = 16 };

struct field {
  std::uint16_t tag = 0;
  field_type type = field_type::half_word;
  std::uint64_t count = 1;
  std::vector<std::byte> values;
};

field make_field(std::uint16_t tag, field_type type, const std::vector<std::uint64_t>& values) {
  field made{tag, type, values.size(), {}};
  if (type == field_type::ratio) made.count /= 2; // numerator, denominator
  const int bytes = type == field_type::half_word ? 2 : type == field_type::long_word ? 8 : 4;
  for (const auto value : values) put(made.values, value, bytes);
  return made;
}

std::uint64_t row_bytes(const image_extent& extent) {
  return static_cast<std::uint64_t>(extent.width) * static_cast<std::uint64_t>(extent.channels);
}

/// In the order of their tags, as the format wants it.
std::vector<field> make_fields(const image_extent& extent, bool big, std::uint64_t first_pixel) {
  const auto height = static_cast<std::uint64_t>(extent.height);
  const auto channels = static_cast<std::size_t>(extent.channels);
  const auto rows = std::min(height, std::max({std::uint64_t{1}, strip_bytes / row_bytes(extent),
                                               (height + max_strips - 1) / max_strips}));
  std::vector<std::uint64_t> offsets, sizes;
  for (std::uint64_t y = 0; y < height; y += rows) {
    offsets.push_back(first_pixel + y * row_bytes(extent));
    sizes.push_back(std::min(rows, height - y) * row_bytes(extent));
  }
  using enum field_type;
  const auto place = big ? long_word : word;
  std::vector<field> fields{
      make_field(256, word, {static_cast<std::uint64_t>(extent.width)}),
      make_field(257, word, {height}),
      make_field(258, half_word, std::vector<std::uint64_t>(channels, 8)), // bits per sample
      make_field(259, half_word, {1}),                                     // no compression
      make_field(262, half_word, {channels == 1 ? 1u : 2u}),               // black is 0, or RGB
      make_field(273, place, offsets),
      make_field(277, half_word, {channels}),
      make_field(278, word, {rows}),
      make_field(279, place, sizes),
      make_field(282, ratio, {1, 1}), // resolution: pixels are square,
      make_field(283, ratio, {1, 1}),
      make_field(284, half_word, {1}), // samples of a pixel together
      make_field(296, half_word, {1})  // of no known size
  };
  if (channels == 4) fields.push_back(make_field(338, half_word, {2})); // alpha, not premultiplied
  return fields;
}

/// Everything before the pixels, if these begin at `first_pixel`.
std::vector<std::byte> write_header(const image_extent& extent, bool big,
                                    std::uint64_t first_pixel) {
  const auto fields = make_fields(extent, big, first_pixel);
  const int wide = big ? 8 : 4; // bytes of an offset, and of a value within the directory
  std::vector<std::byte> header;
  put(header, 'I' | 'I' << 8, 2);
  put(header, big ? 43 : 42, 2);
  if (big) put(header, 8, 4); // bytes of an offset
  put(header, big ? 16 : 8, wide);
  put(header, fields.size(), big ? 8 : 2);
  const auto values_at = header.size() + fields.size() * (big ? 20 : 12) + (big ? 8 : 4);
  std::vector<std::byte> values; // those that are too long for the directory
  for (const auto& field : fields) {
    put(header, field.tag, 2);
    put(header, static_cast<std::uint64_t>(field.type), 2);
    put(header, field.count, wide);
    auto in_place = field.values;
    if (in_place.size() > static_cast<std::size_t>(wide)) {
      values.resize((values_at + values.size() + 7) / 8 * 8 - values_at);
      in_place.clear();
      put(in_place, values_at + values.size(), wide);
      values.insert(values.end(), field.values.begin(), field.values.end());
    }
    in_place.resize(static_cast<std::size_t>(wide));
    header.insert(header.end(), in_place.begin(), in_place.end());
  }
  put(header, 0, wide); // no other directory
  header.insert(header.end(), values.begin(), values.end());
  header.resize((header.size() + pixel_alignment - 1) / pixel_alignment * pixel_alignment);
  return header;
}

} // namespace

tiff_header make_tiff_header(const image_extent& extent) {
  const auto pixel_bytes = row_bytes(extent) * static_cast<std::uint64_t>(extent.height);
  for (const bool big : {false, true}) {
    const auto first_pixel = write_header(extent, big, 0).size();
    const auto end = first_pixel + pixel_bytes;
    if (big || end <= 0xffffffffu) return {write_header(extent, big, first_pixel), end, big};
  }
  return {};
}

} // namespace shoal
