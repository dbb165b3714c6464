#pragma once

#include "runtime/image/image_window.hpp"
#include "runtime/image/output_file.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// What a run that writes a picture in windows has written: a file of lines, each with its checksum
/// (CRC-32C). The first names the picture's extent and a key, which says what the picture is
/// computed from; each of the others is a window.
class progress_journal {
 public:
  /// What an earlier run left: windows inside of the picture that do not overlap. A line that is
  /// broken or cut short ends it.
  struct found {
    std::vector<image_window> done;
    std::uint64_t valid_bytes = 0; ///< up to there
  };

  /// `<output>.progress`
  static std::filesystem::path path_for(const std::filesystem::path& output);
  /// `invalid_argument` unless it is one line of printable characters, at most 4096.
  static result<void> check_key(std::string_view key);

  /// `not_found` if there is none; `stale` if it is about another key or extent, `malformed` if its
  /// first line is none.
  static result<found> read(const std::filesystem::path& path, const image_extent& extent,
                            std::string_view key);
  /// A new one.
  static result<progress_journal> create(const std::filesystem::path& path,
                                         const image_extent& extent, std::string_view key);
  /// Goes on behind what was read.
  static result<progress_journal> append_to(const std::filesystem::path& path,
                                            std::uint64_t valid_bytes);

  /// Returns when the disk has the lines of `windows`.
  result<void> add(std::span<const image_window> windows);

 private:
  progress_journal(output_file file, std::uint64_t end) : file_(std::move(file)), end_(end) {}
  result<void> append(const std::string& lines);

  output_file file_;
  std::uint64_t end_ = 0;
};

} // namespace shoal
