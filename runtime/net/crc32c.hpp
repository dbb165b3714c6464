#pragma once

#include "runtime/base/bytes.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace shoal {

/// The CRC-32C (Castagnoli: polynomial 0x1EDC6F41, reflected, initial and final complement; as in
/// iSCSI, RFC 3720) of `bytes`; `previous` is the checksum of the bytes before them, so that
/// crc32c(b, crc32c(a)) is the checksum of a followed by b. Uses the fastest variant that this
/// processor has.
std::uint32_t crc32c(byte_span bytes, std::uint32_t previous = 0);

/// One way to compute it; the first of `crc32c_variants` is the one in use, the last runs
/// everywhere.
struct crc32c_variant {
  std::string_view name;
  std::uint32_t (*extend)(std::uint32_t previous, const std::byte* data, std::size_t size);
};

/// Those that this processor can run, fastest first.
std::span<const crc32c_variant> crc32c_variants();

} // namespace shoal
