#include "runtime/base/file.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/ids.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// Closes and, unless told to keep it, deletes the file that is being written.
class unfinished_file {
 public:
  unfinished_file(int descriptor, fs::path path)
      : descriptor_(descriptor), path_(std::move(path)) {}
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;
  ~unfinished_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!kept_) ::unlink(path_.c_str());
  }

  int descriptor() const { return descriptor_; }
  /// Some file systems report a full disk only here.
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }
  void keep() { kept_ = true; }

 private:
  int descriptor_;
  fs::path path_;
  bool kept_ = false;
};

bool write_all(int descriptor, byte_span bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

file_identity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

result<void> sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_error(errno, "open", folder);
  const int failed = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (failed != 0) return system_error(failed, "sync", folder);
  return {};
}

} // namespace

error system_error(int number, std::string_view doing, const fs::path& path) {
  errc code = errc::io;
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    code = errc::not_found;
    break;
  case ENOSPC:
  case EDQUOT:
  case ENOMEM:
  case EMFILE:
  case ENFILE:
    code = errc::resource_exhausted;
    break;
  default:
    break;
  }
  return fail(code, "cannot {} {}: {}", doing, path.string(),
              std::generic_category().message(number));
}

input_file::input_file(int descriptor, fs::path path, file_identity identity)
    : descriptor_(descriptor), path_(std::move(path)), identity_(identity) {}

input_file::input_file(input_file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)),
      identity_(other.identity_) {}

input_file& input_file::operator=(input_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(identity_, other.identity_);
  return *this;
}

input_file::~input_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<input_file> input_file::open(const fs::path& path, links policy) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (policy == links::refuse ? O_NOFOLLOW : 0);
  const int descriptor = ::open(path.c_str(), flags);
  if (descriptor < 0) return system_error(errno, "open", path);
  input_file file(descriptor, path, {});
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return system_error(errno, "examine", path);
  if (!S_ISREG(status.st_mode))
    return fail(errc::io, "cannot read {}: not a regular file", path.string());
  file.identity_ = identity_of(status);
  return file;
}

result<void> input_file::check_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return system_error(errno, "examine", path_);
  if (identity_of(status) == identity_) return {};
  return fail(errc::io, "{} was changed after it had been opened", path_.string());
}

result<void> input_file::read_at(std::uint64_t offset, mutable_byte_span into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", path_);
    if (got == 0)
      return fail(errc::malformed, "{} ends at {}, expected {} more bytes", path_.string(), offset,
                  into.size());
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

result<std::string> read_file(const fs::path& path, std::uint64_t max_bytes) {
  SHOAL_TRY(const auto file, input_file::open(path));
  if (file.size() > max_bytes)
    return fail(errc::resource_exhausted, "{} has {} bytes, more than the {} allowed",
                path.string(), file.size(), max_bytes);
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  SHOAL_CHECK(file.read_at(0, std::as_writable_bytes(std::span(content))));
  return content;
}

result<void> replace_file(const fs::path& path, std::span<const byte_span> parts, durability sync,
                          access mode) {
  fs::path temporary = path;
  temporary += fmt::format(".{}{}", to_string(incarnation::random()), unfinished_suffix);
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                mode == access::read_only ? 0444 : 0644);
  if (descriptor < 0) return system_error(errno, "create", temporary);
  unfinished_file file(descriptor, temporary);
  for (const auto part : parts)
    if (!write_all(descriptor, part)) return system_error(errno, "write", temporary);
  if (sync == durability::synced && ::fdatasync(descriptor) != 0)
    return system_error(errno, "sync", temporary);
  if (!file.close()) return system_error(errno, "close", temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0)
    return system_error(errno, "rename", temporary);
  file.keep();
  if (sync == durability::synced)
    return sync_folder(path.has_parent_path() ? path.parent_path() : ".");
  return {};
}

} // namespace shoal
