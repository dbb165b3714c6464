#include "runtime/base/machine.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>

namespace shoal {
namespace {

std::optional<std::uint64_t> first_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  if (in >> value) return value;
  return std::nullopt; // absent, or "max"
}

std::optional<std::uint64_t> kernel_available() {
  std::ifstream in("/proc/meminfo");
  std::string key, unit;
  std::uint64_t kib = 0;
  while (in >> key >> kib) {
    if (key == "MemAvailable:") return kib * 1024;
    std::getline(in, unit);
  }
  return std::nullopt;
}

/// What version 2 control groups leave to this process, its own group and those around it.
std::optional<std::uint64_t> group_available() {
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  std::optional<std::uint64_t> least;
  while (std::getline(in, line)) {
    if (!line.starts_with("0::/")) continue;
    const std::filesystem::path root = "/sys/fs/cgroup";
    for (std::filesystem::path group = line.substr(4);; group = group.parent_path()) {
      const auto cap = first_number(root / group / "memory.max");
      const auto used = first_number(root / group / "memory.current");
      if (cap && used)
        least = std::min(least.value_or(UINT64_MAX), *cap > *used ? *cap - *used : 0);
      if (group.empty()) break;
    }
  }
  return least;
}

} // namespace

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::uint64_t available_memory() {
  constexpr std::uint64_t assumed = std::uint64_t{1} << 30;
  const auto kernel = kernel_available(), group = group_available();
  if (!kernel && !group) return assumed;
  return std::min(kernel.value_or(UINT64_MAX), group.value_or(UINT64_MAX));
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == 0) return "localhost";
  return name;
}

std::filesystem::path default_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::filesystem::path(cache) / "shoal";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".cache" / "shoal";
  return std::filesystem::temp_directory_path() / fmt::format("shoal-{}", getuid());
}

std::filesystem::path own_executable() {
  std::error_code failed;
  auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::path() : path;
}

} // namespace shoal
