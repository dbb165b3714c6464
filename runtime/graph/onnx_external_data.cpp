#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/graph/weight_source.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

namespace shoal {
namespace {

namespace fs = std::filesystem;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

/// The whole of a file, read-only.
struct mapping {
  mapping(const std::byte* start, std::size_t length) : data(start), size(length) {}
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;
  ~mapping() {
    if (size > 0) ::munmap(const_cast<std::byte*>(data), size);
  }
  const std::byte* data;
  std::size_t size;
};

/// The plain names that a location consists of, or an error if it is not a relative path of such.
result<std::vector<std::string>> split_location(const std::string& location) {
  const auto refuse = [&](std::string_view why) {
    return fail(errc::malformed, "external data '{}': {}", location, why);
  };
  if (location.empty()) return refuse("the location is empty");
  if (location.size() > 4096) return refuse("the location is too long");
  if (location.front() == '/') return refuse("absolute paths are refused");
  if (location.find('\0') != std::string::npos) return refuse("the location holds a zero byte");
  std::vector<std::string> names;
  for (std::size_t start = 0; start <= location.size();) {
    const auto end = std::min(location.find('/', start), location.size());
    names.push_back(location.substr(start, end - start));
    start = end + 1;
    if (names.back() == "..") return refuse("'..' is refused");
    if (names.back().empty()) return refuse("it names no file");
    if (names.back() == ".") names.pop_back();
  }
  if (names.empty()) return refuse("it names no file");
  return names;
}

class weight_folder final : public weight_source {
 public:
  weight_folder(descriptor folder, fs::path path)
      : folder_(std::move(folder)), path_(std::move(path)) {}

  result<tensor> load(const std::string& location, std::uint64_t offset,
                      std::optional<std::uint64_t> length, const tensor_type& type) override {
    SHOAL_TRY(const auto file, open_mapped(location));
    const auto need = static_cast<std::uint64_t>(type.dims.element_count()) * size_of(type.type);
    if (length && *length != need)
      return fail(errc::malformed, "external data '{}': {} takes {} bytes, the model states {}",
                  location, to_string(type), need, *length);
    if (offset > file->size || need > file->size - offset)
      return fail(errc::malformed,
                  "external data '{}': {} bytes from offset {} are wanted of a file of {}",
                  location, need, offset, file->size);
    const auto* start = file->data + offset;
    if (reinterpret_cast<std::uintptr_t>(start) % size_of(type.type) == 0)
      return tensor(type, share_storage(file, start, need));
    SHOAL_TRY(auto copy, tensor::allocate(type));
    if (need > 0) std::memcpy(copy.mutable_data(), start, need);
    return copy;
  }

 private:
  result<std::shared_ptr<const mapping>> open_mapped(const std::string& location) {
    if (const auto known = files_.find(location); known != files_.end()) return known->second;
    SHOAL_TRY(const auto names, split_location(location));
    SHOAL_TRY(const auto file, open_below(names, location));
    struct stat status {};
    if (::fstat(file.number(), &status) != 0)
      return system_error(errno, "examine", path_ / location);
    if (!S_ISREG(status.st_mode))
      return fail(errc::malformed, "external data '{}': not a regular file", location);
    // A hard link may be a file from anywhere, under a name that the model chose.
    if (status.st_nlink > 1)
      return fail(errc::malformed, "external data '{}': files with several hard links are refused",
                  location);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* memory = nullptr;
    if (size > 0) {
      memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
      if (memory == MAP_FAILED) return system_error(errno, "map", path_ / location);
    }
    auto mapped = std::make_shared<const mapping>(static_cast<const std::byte*>(memory), size);
    files_.emplace(location, mapped);
    return std::shared_ptr<const mapping>(mapped);
  }

  /// One component at a time, none of which may be a link.
  result<descriptor> open_below(const std::vector<std::string>& names,
                                const std::string& location) const {
    descriptor at(-1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool last = i + 1 == names.size();
      const int kind = last ? O_RDONLY | O_NONBLOCK : O_RDONLY | O_DIRECTORY;
      const int parent = i == 0 ? folder_.number() : at.number();
      descriptor next(::openat(parent, names[i].c_str(), kind | O_NOFOLLOW | O_CLOEXEC));
      const int number = errno;
      if (next.number() < 0) {
        struct stat status {};
        if (::fstatat(parent, names[i].c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(status.st_mode))
          return fail(errc::malformed,
                      "external data '{}': '{}' is a symbolic link, which is "
                      "refused",
                      location, names[i]);
        return system_error(number, "open", path_ / location).within("external data");
      }
      at = std::move(next);
    }
    return at;
  }

  descriptor folder_;
  fs::path path_;
  std::map<std::string, std::shared_ptr<const mapping>> files_;
};

} // namespace

result<std::unique_ptr<weight_source>> open_weight_folder(const fs::path& folder) {
  const auto& path = folder.empty() ? fs::path(".") : folder;
  descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0) return system_error(errno, "open", path);
  return std::make_unique<weight_folder>(std::move(opened), path);
}

} // namespace shoal
