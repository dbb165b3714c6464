#pragma once

#include "runtime/tensor/image_tensor.hpp"
#include "runtime/tensor/tensor.hpp"

#include <filesystem>
#include <string_view>

namespace shoal {

enum class tensor_format : std::uint8_t {
  npy,   ///< NumPy
  proto, ///< a serialised ONNX TensorProto
  png,   ///< a picture
  jpeg   ///< a picture
};

/// By the extension: .npy, .pb, .png, .jpg or .jpeg.
result<tensor_format> format_by_name(const std::filesystem::path& file);

/// By its first bytes where they tell, else by the extension. `io` or `not_found` where it cannot
/// be read.
result<tensor_format> format_of_file(const std::filesystem::path& file);

/// Writes `values`, an output called `name`, to `file`, which is replaced as a whole; "-" is
/// standard output. Pictures by `look`.
result<void> write_tensor(const std::filesystem::path& file, tensor_format format,
                          const tensor& values, std::string_view name,
                          const image_output_options& look);

/// The same for text or other bytes.
result<void> write_bytes(const std::filesystem::path& file, byte_span bytes);

/// The same values in another element type: between floating-point types, from bytes to floating
/// point, and to wider integers. Other conversions lose too much to be made unasked:
/// `invalid_argument`.
result<tensor> convert_elements(const tensor& values, dtype type);

} // namespace shoal
