#pragma once

#include "runtime/base/file.hpp"

#include <cstdarg>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct tiff;

namespace shoal {

/// A TIFF file opened for reading by libtiff: through our own reads, with a limit on each of
/// libtiff's allocations, and with what it has to say kept instead of printed.
class tiff_file {
 public:
  /// Allocated, because libtiff keeps its address.
  static result<std::unique_ptr<tiff_file>> open(input_file file, std::uint64_t max_bytes);
  tiff_file(const tiff_file&) = delete;
  tiff_file& operator=(const tiff_file&) = delete;
  ~tiff_file();

  struct tiff* handle() const {
    return handle_;
  }
  const input_file& file() const { return file_; }

  /// What went wrong since the last call, as libtiff or the file said it: `malformed` or the error
  /// of the file. `otherwise` if they said nothing.
  error take_error(const char* otherwise);
  /// Whether libtiff complained, even if its call succeeded.
  bool complained() const { return !message_.empty() || failure_.has_value(); }

 private:
  explicit tiff_file(input_file file) : file_(std::move(file)) {}
  struct callbacks;

  input_file file_;
  std::uint64_t position_ = 0;
  struct tiff* handle_ = nullptr;
  std::string message_;          ///< the first that libtiff said
  std::optional<error> failure_; ///< of reading the file
};

} // namespace shoal
