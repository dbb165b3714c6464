#include "apps/command/tensor_file.hpp"

#include "kernels/reference/cast.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/tensor/npy.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>

namespace shoal {

result<tensor_format> format_by_name(const std::filesystem::path& file) {
  auto extension = file.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".npy") return tensor_format::npy;
  if (extension == ".pb") return tensor_format::proto;
  if (extension == ".png") return tensor_format::png;
  if (extension == ".jpg" || extension == ".jpeg") return tensor_format::jpeg;
  return fail(errc::invalid_argument,
              "{}: expected a name that ends in .npy, .pb, .png or .jpg (or "
              ".tif, of whole pictures, with --tiles)",
              file.string());
}

result<tensor_format> format_of_file(const std::filesystem::path& file) {
  SHOAL_TRY(const auto opened, input_file::open(file));
  std::array<std::byte, 8> head{};
  const auto length = std::min<std::uint64_t>(opened.size(), head.size());
  SHOAL_CHECK(opened.read_at(0, std::span(head).first(length)));
  const auto start = text_of({head.data(), length});
  if (start.starts_with("\x93NUMPY")) return tensor_format::npy;
  if (start == "\x89PNG\r\n\x1a\n") return tensor_format::png;
  if (start.starts_with("\xff\xd8\xff")) return tensor_format::jpeg;
  if (auto named = format_by_name(file)) return named;
  return fail(errc::invalid_argument,
              "{} is neither a .npy file, an ONNX TensorProto (.pb), a PNG nor a JPEG",
              file.string());
}

result<void> write_bytes(const std::filesystem::path& file, byte_span bytes) {
  std::error_code unknown; // then it is to be made, and that says why it cannot
  const bool standard_output = file == "-";
  const auto kind = std::filesystem::symlink_status(file, unknown).type();
  // What is there and no plain file (a device, a pipe, a link) is written to, not replaced.
  if (!standard_output && (kind == std::filesystem::file_type::not_found ||
                           kind == std::filesystem::file_type::regular))
    return replace_file(file, {&bytes, 1});
  auto* stream = standard_output ? stdout : std::fopen(file.c_str(), "wb");
  if (stream == nullptr) return system_error(errno, "open", file);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size();
  const bool flushed = std::fflush(stream) == 0;
  const int reason = errno;
  if (!standard_output) std::fclose(stream);
  if (!written || !flushed)
    return system_error(reason, "write", standard_output ? "standard output" : file);
  return {};
}

result<void> write_tensor(const std::filesystem::path& file, tensor_format format,
                          const tensor& values, std::string_view name,
                          const image_output_options& look) {
  if (format == tensor_format::npy) {
    SHOAL_TRY(const auto bytes, encode_npy(values));
    return write_bytes(file, bytes);
  }
  if (format == tensor_format::proto) {
    SHOAL_TRY(const auto bytes, encode_tensor_proto(values, name));
    return write_bytes(file, bytes_of(bytes));
  }
  SHOAL_TRY(const auto picture, tensor_to_image(values, look));
  SHOAL_TRY(const auto bytes,
            format == tensor_format::png ? encode_png(picture) : encode_jpeg(picture));
  return write_bytes(file, bytes);
}

result<tensor> convert_elements(const tensor& values, dtype type) {
  const auto from = values.element_type();
  if (from == type) return values;
  const bool whole = !is_floating(from) && !is_floating(type) && from != dtype::boolean &&
                     type != dtype::boolean && size_of(from) < size_of(type);
  const bool is_signed = from >= dtype::i8 && from <= dtype::i64;
  const bool target_signed = type >= dtype::i8 && type <= dtype::i64;
  const bool allowed = (is_floating(from) && is_floating(type)) ||
                       (from == dtype::u8 && is_floating(type)) ||
                       (whole && (!is_signed || target_signed));
  if (!allowed)
    return fail(errc::invalid_argument, "expected {}, got {}, which is not converted unasked",
                to_string(type), to_string(from));
  SHOAL_TRY(auto converted, tensor::allocate({type, values.dims()}));
  reference::cast(values, converted.mutable_view());
  return converted;
}

} // namespace shoal
