#pragma once

#include "runtime/tensor/tensor.hpp"

#include <cstddef>
#include <filesystem>
#include <vector>

namespace shoal {

/// Tensors as NumPy's .npy files, format versions 1.0 and 2.0 (numpy.lib.format), little-endian
/// only. Every element type but bfloat16, which NumPy does not know. Files in Fortran order are
/// converted; what is written is version 1.0 in C order.
///
/// Files are untrusted: the header, the shape and the exact number of bytes are checked before
/// memory for the elements is taken. `malformed` for what breaks the format, `unsupported` for
/// what is well formed but not for us: big-endian, other types, a rank above `shape::max_rank`.
result<tensor> read_npy(const std::filesystem::path& path);
result<tensor> decode_npy(byte_span bytes);

result<void> write_npy(const std::filesystem::path& path, const tensor& values);
result<std::vector<std::byte>> encode_npy(const tensor& values);

} // namespace shoal
