#include "runtime/tensor/npy.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/tensor/booleans.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace shoal {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t max_prelude = 12; // magic, version and the longer header length
constexpr std::size_t max_header = std::size_t{64} << 10;

/// The bytes before the dictionary, and the bytes of the dictionary.
struct prelude {
  std::size_t size = 0;
  std::size_t header_size = 0;
};

struct header {
  tensor_type type;
  bool fortran_order = false;
};

result<prelude> parse_prelude(byte_span start) {
  const auto text = text_of(start);
  if (!text.starts_with(magic) || text.size() < 10)
    return fail(errc::malformed,
                "not a .npy file: it does not start with \\x93NUMPY and a version");
  const int major = std::to_integer<int>(start[6]);
  const int minor = std::to_integer<int>(start[7]);
  if ((major != 1 && major != 2) || minor != 0)
    return fail(errc::unsupported, ".npy version {}.{}: expected 1.0 or 2.0", major, minor);
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  prelude found{8 + length_bytes, 0};
  if (start.size() < found.size)
    return fail(errc::malformed, ".npy file ends within its first {} bytes", found.size);
  for (std::size_t i = 0; i < length_bytes; ++i)
    found.header_size |= std::to_integer<std::size_t>(start[8 + i]) << (8 * i);
  if (found.header_size > max_header)
    return fail(errc::malformed, ".npy header of {} bytes, more than the {} allowed",
                found.header_size, max_header);
  return found;
}

/// Reads the dictionary, a Python literal such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class dictionary_parser {
 public:
  explicit dictionary_parser(std::string_view text) : text_(text) {}

  result<header> parse() {
    header found;
    bool has_descr = false, has_order = false, has_shape = false;
    SHOAL_CHECK(expect('{'));
    while (!accept('}')) {
      SHOAL_TRY(const auto key, string());
      SHOAL_CHECK(expect(':'));
      if (key == "descr" && !std::exchange(has_descr, true)) {
        SHOAL_TRY(found.type.type, element_type());
      } else if (key == "fortran_order" && !std::exchange(has_order, true)) {
        SHOAL_TRY(found.fortran_order, boolean());
      } else if (key == "shape" && !std::exchange(has_shape, true)) {
        SHOAL_TRY(found.type.dims, tuple());
      } else {
        return fail(errc::malformed, ".npy header: unexpected or repeated key \"{}\"", key);
      }
      if (accept(',')) continue;
      SHOAL_CHECK(expect('}'));
      break;
    }
    skip_space();
    if (at_ != text_.size()) return broken("nothing more");
    if (!has_descr || !has_order || !has_shape)
      return fail(errc::malformed, ".npy header: expected descr, fortran_order and shape");
    return found;
  }

 private:
  error broken(std::string_view expected) const {
    return fail(errc::malformed, ".npy header: expected {} at {}", expected, at_);
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool accept(char token) { return accept(std::string_view(&token, 1)); }
  result<void> expect(char token) {
    if (!accept(token)) return broken(std::string_view(&token, 1));
    return {};
  }

  result<std::string_view> string() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"' && !accept('"')) return broken("a string");
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) return broken("the end of the string");
    const auto value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  result<bool> boolean() {
    if (accept("True")) return true;
    if (accept("False")) return false;
    return broken("True or False");
  }

  result<dtype> element_type() {
    if (skip_space(); at_ < text_.size() && text_[at_] == '[')
      return fail(errc::unsupported, ".npy element type: records are not supported");
    SHOAL_TRY(const auto name, string());
    static constexpr std::pair<std::string_view, dtype> names[] = {
        {"f4", dtype::f32}, {"f8", dtype::f64}, {"f2", dtype::f16}, {"i1", dtype::i8},
        {"i2", dtype::i16}, {"i4", dtype::i32}, {"i8", dtype::i64}, {"u1", dtype::u8},
        {"u2", dtype::u16}, {"u4", dtype::u32}, {"u8", dtype::u64}, {"b1", dtype::boolean}};
    if (!name.empty() && (name[0] == '<' || name[0] == '|' || name[0] == '='))
      for (const auto& [known, type] : names)
        if (name.substr(1) == known) return type;
    return fail(errc::unsupported,
                ".npy element type \"{}\": expected a little-endian f2 to f8, i1 to i8, u1 to u8 "
                "or b1",
                name);
  }

  result<shape> tuple() {
    shape dims;
    SHOAL_CHECK(expect('('));
    while (!accept(')')) {
      skip_space();
      std::int64_t extent = 0;
      const char* const end = text_.data() + text_.size();
      const auto parsed = std::from_chars(text_.data() + at_, end, extent);
      if (parsed.ec != std::errc()) return broken("an extent below 2^63");
      at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
      if (dims.rank() == shape::max_rank)
        return fail(errc::unsupported, ".npy shape: more than {} dimensions", shape::max_rank);
      dims.push_back(extent);
      if (accept(',')) continue;
      SHOAL_CHECK(expect(')'));
      break;
    }
    return dims;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The header in `text`, and that `payload` is exactly the bytes its elements take.
result<header> parse_header(std::string_view text, std::uint64_t payload) {
  SHOAL_TRY(const auto found, dictionary_parser(text).parse());
  SHOAL_TRY(const auto count, checked_element_count(found.type.dims.span()));
  const auto expected = static_cast<std::uint64_t>(count) * size_of(found.type.type);
  if (payload != expected)
    return fail(errc::malformed, ".npy data: {} takes {} bytes, got {}", to_string(found.type),
                expected, payload);
  return found;
}

template <class Word>
void copy_from_fortran(const std::byte* from, std::byte* to, const shape& dims) {
  shape strides = dims; // of the source, in elements: the first axis is the dense one
  std::int64_t step = 1;
  for (int axis = 0; axis < dims.rank(); ++axis) step *= std::exchange(strides[axis], step);
  shape at = shape::filled(dims.rank(), 0);
  std::int64_t source = 0;
  const std::int64_t count = dims.element_count();
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * std::int64_t{sizeof(Word)}, from + source * std::int64_t{sizeof(Word)},
                sizeof(Word));
    for (int axis = dims.rank() - 1; axis >= 0; --axis) {
      source += strides[axis];
      if (++at[axis] < dims[axis]) break;
      source -= strides[axis] * dims[axis];
      at[axis] = 0;
    }
  }
}

result<tensor> row_major(tensor values, bool fortran_order) {
  SHOAL_CHECK(check_booleans(values));
  if (!fortran_order || values.dims().rank() < 2) return values;
  SHOAL_TRY(auto turned, tensor::allocate(values.type()));
  const auto* from = values.data();
  auto* to = turned.mutable_data();
  switch (size_of(values.element_type())) {
  case 1:
    copy_from_fortran<std::uint8_t>(from, to, values.dims());
    break;
  case 2:
    copy_from_fortran<std::uint16_t>(from, to, values.dims());
    break;
  case 4:
    copy_from_fortran<std::uint32_t>(from, to, values.dims());
    break;
  default:
    copy_from_fortran<std::uint64_t>(from, to, values.dims());
    break;
  }
  return turned;
}

result<std::string> make_header(const tensor_type& type) {
  static constexpr std::array<std::string_view, dtype_count> names = {
      "<f4", "<f8", "<f2", "", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"};
  const auto name = names[static_cast<std::size_t>(type.type)];
  if (name.empty())
    return fail(errc::unsupported, ".npy has no element type for {}", to_string(type));
  std::string extents;
  for (const auto extent : type.dims) extents += fmt::format("{}, ", extent);
  if (type.dims.rank() > 1) extents.resize(extents.size() - 2);
  if (type.dims.rank() == 1) extents.pop_back(); // a tuple of one keeps its comma
  auto text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", name, extents);
  // The elements start at a multiple of 64 bytes.
  const std::size_t total = (10 + text.size() + 1 + 63) / 64 * 64;
  text.resize(total - 10 - 1, ' ');
  text += '\n';
  std::string start(magic);
  for (const std::size_t byte :
       {std::size_t{1}, std::size_t{0}, text.size() & 255, text.size() >> 8})
    start.push_back(static_cast<char>(byte));
  return start + text;
}

} // namespace

result<tensor> decode_npy(byte_span bytes) {
  SHOAL_TRY(const auto start, parse_prelude(bytes.first(std::min(bytes.size(), max_prelude))));
  if (bytes.size() - start.size < start.header_size)
    return fail(errc::malformed, ".npy header: expected {} bytes, got {}", start.header_size,
                bytes.size() - start.size);
  const auto payload = bytes.subspan(start.size + start.header_size);
  SHOAL_TRY(const auto found,
            parse_header(text_of(bytes.subspan(start.size, start.header_size)), payload.size()));
  SHOAL_TRY(auto values, tensor::allocate(found.type));
  if (!payload.empty()) std::memcpy(values.mutable_data(), payload.data(), payload.size());
  return row_major(std::move(values), found.fortran_order);
}

result<tensor> read_npy(const std::filesystem::path& path) {
  const auto read = [&]() -> result<tensor> {
    SHOAL_TRY(const auto file, input_file::open(path));
    std::array<std::byte, max_prelude> buffer;
    const auto first = mutable_byte_span(buffer).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), buffer.size())));
    SHOAL_CHECK(file.read_at(0, first));
    SHOAL_TRY(const auto start, parse_prelude(first));
    if (file.size() - start.size < start.header_size)
      return fail(errc::malformed, ".npy header: expected {} bytes, got {}", start.header_size,
                  file.size() - start.size);
    std::string text(start.header_size, '\0');
    SHOAL_CHECK(file.read_at(start.size, std::as_writable_bytes(std::span(text))));
    const auto begin = start.size + start.header_size;
    SHOAL_TRY(const auto found, parse_header(text, file.size() - begin));
    SHOAL_TRY(auto values, tensor::allocate(found.type));
    SHOAL_CHECK(file.read_at(begin, {values.mutable_data(), values.byte_size()}));
    return row_major(std::move(values), found.fortran_order);
  };
  auto values = read();
  if (!values) return std::move(values).error().within(path.string());
  return values;
}

result<std::vector<std::byte>> encode_npy(const tensor& values) {
  SHOAL_TRY(const auto header, make_header(values.type()));
  std::vector<std::byte> bytes;
  bytes.reserve(header.size() + values.byte_size());
  for (const auto part : {bytes_of(header), values.bytes()})
    bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

result<void> write_npy(const std::filesystem::path& path, const tensor& values) {
  SHOAL_TRY(const auto header, make_header(values.type()));
  return replace_file(path, std::array{bytes_of(header), values.bytes()});
}

} // namespace shoal
