#include "runtime/store/chunk_store.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/store/chunk_folder.hpp"
#include "runtime/tensor/buffer_pool.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_set>

namespace shoal {
namespace {

namespace fs = std::filesystem;

// Only a hint of what need not be hashed again; beyond this many it starts afresh.
constexpr std::size_t max_remembered = std::size_t{1} << 20;

bool disk_is_full(const fs::path& folder, std::uint64_t needed) {
  std::error_code failure;
  const auto space = fs::space(folder, failure);
  return !failure && space.available < needed + (std::uint64_t{1} << 20);
}

} // namespace

struct chunk_store::pin_table {
  std::mutex mutex;
  std::unordered_map<digest, int> counts;
};

chunk_store::chunk_store(fs::path root, chunk_store_options options)
    : root_(std::move(root)), options_(options), pins_(std::make_shared<pin_table>()) {}

result<std::unique_ptr<chunk_store>> chunk_store::open(fs::path root, chunk_store_options options) {
  std::error_code failure;
  fs::create_directories(root, failure);
  if (failure) return system_error(failure.value(), "make the folder", root);
  std::unique_ptr<chunk_store> store(new chunk_store(std::move(root), options));
  SHOAL_CHECK(store->evict_to(options.max_bytes));
  return store;
}

result<digest> chunk_store::put(byte_span bytes) {
  const digest name = sha256(bytes);
  SHOAL_CHECK(put(name, bytes));
  return name;
}

result<void> chunk_store::put(const digest& name, byte_span bytes) {
  assert(sha256(bytes) == name);
  if (bytes.size() > max_blob_bytes)
    return fail(errc::invalid_argument, "a blob of {} bytes is larger than the {} allowed",
                bytes.size(), max_blob_bytes);
  if (holds_sound_copy(name, bytes.size())) return {};
  SHOAL_CHECK(make_room(bytes.size()));
  auto written = write(name, bytes);
  if (!written && written.error().code() == errc::resource_exhausted &&
      disk_is_full(root_, bytes.size())) {
    // The disk is smaller than the cap: old chunks make room for new ones there too.
    std::lock_guard lock(eviction_mutex_);
    const auto used = used_bytes();
    SHOAL_CHECK(evict_to(used - std::min(used, bytes.size() + max_blob_bytes)));
    written = write(name, bytes);
  }
  return written;
}

result<void> chunk_store::write(const digest& name, byte_span bytes) {
  const fs::path path = chunk_path(root_, name);
  std::error_code failure;
  fs::create_directory(path.parent_path(), failure);
  if (failure) return system_error(failure.value(), "make the folder", path.parent_path());
  SHOAL_CHECK(replace_file(path, std::array{bytes}, options_.sync, access::read_only));
  if (const auto file = input_file::open(path, input_file::links::refuse);
      file && file->size() == bytes.size())
    remember_verified(name, file->identity());
  std::lock_guard lock(mutex_);
  used_bytes_ += bytes.size();
  put_since_scan_ += bytes.size();
  return {};
}

bool chunk_store::holds_sound_copy(const digest& name, std::uint64_t size) {
  auto chunk = open_chunk(name, size);
  if (!chunk) return false;
  return chunk->verified || read(name).has_value();
}

result<storage_ptr> chunk_store::read(const digest& name) {
  SHOAL_TRY(const auto chunk, open_chunk(name, std::nullopt));
  const auto size = static_cast<std::size_t>(chunk.file.size());
  // Read, not mapped: a file that shrinks under a mapping would end the process.
  auto content = buffer_pool::shared().take(size);
  if (!content)
    return fail(errc::resource_exhausted, "no memory for chunk {} ({} bytes)", to_string(name),
                size);
  const mutable_byte_span bytes{content->data(), size};
  if (auto done = chunk.file.read_at(0, bytes); !done)
    return done.error().code() == errc::malformed
               ? reject(name, chunk.file.identity(), "it was cut short")
               : std::move(done).error();
  SHOAL_CHECK(verify(name, chunk, bytes));
  return content;
}

result<chunk_store::opened_chunk> chunk_store::open_chunk(const digest& name,
                                                          std::optional<std::uint64_t> size) {
  const auto path = chunk_path(root_, name);
  SHOAL_TRY(auto file, input_file::open(path, input_file::links::refuse));
  if (size && file.size() != *size)
    return reject(name, file.identity(),
                  fmt::format("expected {} bytes, got {}", *size, file.size()));
  if (file.size() > max_blob_bytes)
    return reject(name, file.identity(), fmt::format("it has {} bytes", file.size()));
  const timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
  ::futimens(file.descriptor(), times); // the order of eviction is a hint: may fail
  std::lock_guard lock(mutex_);
  const auto known = verified_.find(name);
  const bool verified = known != verified_.end() && known->second == file.identity();
  return opened_chunk{std::move(file), verified};
}

result<void> chunk_store::verify(const digest& name, const opened_chunk& chunk, byte_span content) {
  if (chunk.verified) return {};
  if (sha256(content) != name)
    return reject(name, chunk.file.identity(), "its content has another digest");
  remember_verified(name, chunk.file.identity());
  return {};
}

error chunk_store::reject(const digest& name, const file_identity& seen, std::string_view why) {
  // Another process may have put a sound copy in its place already.
  const auto now = input_file::open(chunk_path(root_, name), input_file::links::refuse);
  if (now && now->identity() == seen) remove(name);
  return fail(errc::not_found, "chunk {} was corrupt and is deleted: {}", to_string(name), why);
}

void chunk_store::remember_verified(const digest& name, const file_identity& identity) {
  std::lock_guard lock(mutex_);
  if (verified_.size() >= max_remembered) verified_.clear();
  verified_[name] = identity;
}

bool chunk_store::contains(const digest& name) const {
  struct stat status {};
  return ::lstat(chunk_path(root_, name).c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool chunk_store::contains(const digest& name, std::uint64_t size) const {
  struct stat status {};
  return ::lstat(chunk_path(root_, name).c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<std::uint64_t>(status.st_size) == size;
}

std::vector<digest> chunk_store::missing(std::span<const digest> names) const {
  std::vector<digest> absent;
  std::unordered_set<digest> seen;
  for (const auto& name : names)
    if (seen.insert(name).second && !contains(name)) absent.push_back(name);
  return absent;
}

void chunk_store::remove(const digest& name) {
  const auto path = chunk_path(root_, name);
  struct stat status {};
  const bool known = ::lstat(path.c_str(), &status) == 0;
  const bool removed = ::unlink(path.c_str()) == 0;
  std::lock_guard lock(mutex_);
  verified_.erase(name);
  if (known && removed)
    used_bytes_ -= std::min(used_bytes_, static_cast<std::uint64_t>(status.st_size));
}

std::uint64_t chunk_store::used_bytes() const {
  std::lock_guard lock(mutex_);
  return used_bytes_;
}

result<void> chunk_store::make_room(std::uint64_t bytes) {
  if (bytes > options_.max_bytes)
    return fail(errc::resource_exhausted, "a chunk of {} bytes does not fit a store of {}", bytes,
                options_.max_bytes);
  std::lock_guard eviction_lock(eviction_mutex_);
  {
    // Other processes put chunks too: look again after every sixteenth of the cap.
    std::lock_guard lock(mutex_);
    if (used_bytes_ + bytes <= options_.max_bytes && put_since_scan_ <= options_.max_bytes / 16)
      return {};
  }
  SHOAL_CHECK(evict_to(options_.max_bytes - bytes));
  if (const auto used = used_bytes(); used + bytes > options_.max_bytes)
    return fail(errc::resource_exhausted,
                "the store is full: {} of {} bytes are in use and pinned, {} more are needed", used,
                options_.max_bytes, bytes);
  return {};
}

result<void> chunk_store::evict_to(std::uint64_t target) {
  SHOAL_TRY(auto chunks, scan_chunks(root_));
  std::uint64_t used = 0;
  for (const auto& chunk : chunks) used += chunk.bytes;
  if (used > target) {
    target -= std::min(target, options_.max_bytes / 10); // not again for the very next chunk
    std::sort(chunks.begin(), chunks.end(), [](const stored_chunk& a, const stored_chunk& b) {
      return std::tie(a.used_ns, a.name) < std::tie(b.used_ns, b.name);
    });
    for (const auto& chunk : chunks) {
      if (used <= target) break;
      {
        std::lock_guard lock(pins_->mutex);
        if (pins_->counts.contains(chunk.name)) continue;
      }
      // A chunk that another process has deleted already is gone all the same.
      if (::unlink(chunk_path(root_, chunk.name).c_str()) == 0 || errno == ENOENT)
        used -= chunk.bytes;
    }
  }
  std::lock_guard lock(mutex_);
  used_bytes_ = used;
  put_since_scan_ = 0;
  return {};
}

chunk_store::pin chunk_store::pin_chunks(std::vector<digest> names) {
  return pin(pins_, std::move(names));
}

chunk_store::pin::pin(std::shared_ptr<pin_table> table, std::vector<digest> names)
    : table_(std::move(table)), names_(std::move(names)) {
  std::lock_guard lock(table_->mutex);
  for (const auto& name : names_) ++table_->counts[name];
}

chunk_store::pin& chunk_store::pin::operator=(pin&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(names_, other.names_);
  return *this;
}

void chunk_store::pin::release() {
  if (!table_) return;
  std::lock_guard lock(table_->mutex);
  for (const auto& name : names_)
    if (const auto found = table_->counts.find(name); --found->second == 0)
      table_->counts.erase(found);
}

} // namespace shoal
