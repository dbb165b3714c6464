#include "runtime/image/output_file.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace shoal {

output_file::output_file(output_file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

output_file& output_file::operator=(output_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

output_file::~output_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<output_file> output_file::open(const std::filesystem::path& path, content start) {
  // O_NONBLOCK: opening a pipe that nobody reads must not wait.
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK;
  const int descriptor = ::open(path.c_str(), flags, 0644);
  if (descriptor < 0) return system_error(errno, "create", path);
  output_file file(descriptor, path);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return system_error(errno, "examine", path);
  if (!S_ISREG(status.st_mode))
    return fail(errc::io, "cannot write {}: not a regular file", path.string());
  // Where locks are not supported there are none.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return fail(errc::io, "cannot write {}: something else is writing it", path.string());
  if (start == content::empty) SHOAL_CHECK(file.resize(0));
  return file;
}

result<void> output_file::write_at(std::uint64_t offset, byte_span bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(errno, "write", path_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

result<void> output_file::resize(std::uint64_t bytes) {
  if (bytes > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    return fail(errc::resource_exhausted, "cannot make {} {} bytes long", path_.string(), bytes);
  while (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
    if (errno != EINTR) return system_error(errno, "resize", path_);
  return {};
}

result<void> output_file::sync() {
  while (::fdatasync(descriptor_) != 0)
    if (errno != EINTR) return system_error(errno, "sync", path_);
  return {};
}

result<void> output_file::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) return system_error(errno, "close", path_);
  return {};
}

} // namespace shoal
