#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace shoal {

using byte_span = std::span<const std::byte>;
using mutable_byte_span = std::span<std::byte>;

/// The bytes of a string, for what hashes, writes or sends bytes.
inline byte_span bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The characters of bytes.
inline std::string_view text_of(byte_span bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace shoal
