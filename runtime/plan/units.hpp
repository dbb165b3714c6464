#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace shoal {

/// "0 B", "1.50 KiB", "12.3 MiB": three digits that count.
std::string human_bytes(std::uint64_t bytes);
/// "820 FLOP", "1.20 MFLOP", "3.40 GFLOP".
std::string human_flops(std::uint64_t flops);
/// "0 s", "850 µs", "1.25 ms", "2.10 s".
std::string human_seconds(double seconds);

/// The number of characters (code points) of UTF-8 text; in other text, stray continuation bytes
/// belong to the character before.
std::size_t character_count(std::string_view text);
/// At most `limit` characters: the middle of longer text gives way to "…". Never splits a
/// character.
std::string shorten_middle(std::string_view text, std::size_t limit);

} // namespace shoal
