#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <filesystem>

namespace shoal {

/// A regular file that is open for writing at any place, and locked meanwhile: opening it a second
/// time, here or in another process, is refused with `io`.
class output_file {
 public:
  enum class content { empty, kept };

  /// Created if it is not there; what is there is dropped or kept.
  static result<output_file> open(const std::filesystem::path& path, content start);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&& other) noexcept;
  ~output_file();

  const std::filesystem::path& path() const { return path_; }
  result<void> write_at(std::uint64_t offset, byte_span bytes);
  /// Cuts the file, or lengthens it by zeros that take no room on the disk until they are written.
  result<void> resize(std::uint64_t bytes);
  /// Returns when the disk has everything written.
  result<void> sync();
  /// Some file systems report a full disk only here.
  result<void> close();

 private:
  output_file(int descriptor, std::filesystem::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_ = -1;
  std::filesystem::path path_;
};

} // namespace shoal
