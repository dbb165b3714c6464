#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace shoal {

/// What an error number of the operating system means for the caller: a missing file is
/// `not_found`; a full disk, memory or descriptor table `resource_exhausted`; the rest `io`. The
/// message reads "cannot DOING PATH: reason".
error system_error(int number, std::string_view doing, const std::filesystem::path& path);

/// Tells one state of a file from another: replacing or rewriting the file changes it.
struct file_identity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;

  friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// A regular file that is open for reading; pipes, devices and folders are refused.
class input_file {
 public:
  enum class links { follow, refuse };

  static result<input_file> open(const std::filesystem::path& path, links policy = links::follow);
  input_file(input_file&& other) noexcept;
  input_file& operator=(input_file&& other) noexcept;
  ~input_file();

  /// Size and identity are those the open file had at `open`.
  std::uint64_t size() const { return identity_.size; }
  const file_identity& identity() const { return identity_; }
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }
  /// Fills `into` from `offset`; `malformed` if the file ends earlier.
  result<void> read_at(std::uint64_t offset, mutable_byte_span into) const;
  /// `io` if the open file was written to, or cut, since it was opened. Another file in its place
  /// is no change: this one lives on.
  result<void> check_unchanged() const;

 private:
  input_file(int descriptor, std::filesystem::path path, file_identity identity);

  int descriptor_ = -1;
  std::filesystem::path path_;
  file_identity identity_;
};

/// The whole content of a file; `resource_exhausted` if it has more than `max_bytes`.
result<std::string> read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// Whether `replace_file` waits until the disk has the bytes.
enum class durability { cached, synced };

/// Whether the file that `replace_file` makes may be written by its owner later on.
enum class access { read_write, read_only };

/// What `replace_file` calls its files until they are complete; only a crash leaves one behind.
inline constexpr std::string_view unfinished_suffix = ".unfinished";

/// Makes `path` hold the concatenation of `parts`. Readers, in any process, see the old content or
/// the new one, never a part; after a failure nothing is left behind.
result<void> replace_file(const std::filesystem::path& path, std::span<const byte_span> parts,
                          durability sync = durability::cached, access mode = access::read_write);

} // namespace shoal
