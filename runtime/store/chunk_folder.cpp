#include "runtime/store/chunk_folder.hpp"

#include "runtime/base/file.hpp"
#include "runtime/base/sha256.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t stale_after_s = 3600;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// The names in `folder`; a folder that cannot be read has none.
std::vector<std::string> names_in(const fs::path& folder, std::error_code& failure) {
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure))
    names.push_back(entry->path().filename().string());
  return names;
}

void scan_folder(const fs::path& root, const std::string& prefix,
                 std::vector<stored_chunk>& found) {
  const fs::path folder = root / prefix;
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  std::error_code ignored; // another process may delete what is listed here at any time
  for (const auto& name : names_in(folder, ignored)) {
    const fs::path path = folder / name;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (const auto parsed = parse_digest(prefix + name))
      found.push_back(
          {*parsed, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_atim)});
    else if (name.ends_with(unfinished_suffix) &&
             status.st_mtim.tv_sec + stale_after_s < std::time(nullptr))
      ::unlink(path.c_str());
  }
}

} // namespace

fs::path chunk_path(const fs::path& root, const digest& name) {
  const auto text = to_string(name);
  return root / text.substr(0, 2) / text.substr(2);
}

result<std::vector<stored_chunk>> scan_chunks(const fs::path& root) {
  std::error_code failure;
  const auto prefixes = names_in(root, failure);
  if (failure) return system_error(failure.value(), "list", root);
  std::vector<stored_chunk> found;
  for (const auto& prefix : prefixes)
    if (prefix.size() == 2) scan_folder(root, prefix, found);
  return found;
}

} // namespace shoal
