#include "runtime/store/mapped_weights.hpp"

#include "runtime/base/fail.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>

namespace shoal {
namespace {

// Every chunk file is a mapping of its own, and Linux allows a process 65530 of them by default.
// Leave half of them to allocators, libraries and threads, which fail hard without.
constexpr std::size_t max_mappings = 32'000;
std::atomic<std::size_t> mappings_in_use = 0;

/// A reserved range of addresses into which files are mapped; unmapped as a whole.
class mapped_storage final : public storage {
 public:
  /// Null when the process has too many mappings or no addresses left.
  static mapped_storage* reserve(std::size_t size, std::size_t chunks) {
    if (mappings_in_use.fetch_add(chunks) + chunks > max_mappings) {
      mappings_in_use -= chunks;
      return {};
    }
    void* start =
        ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
      mappings_in_use -= chunks;
      return {};
    }
    return new mapped_storage(static_cast<std::byte*>(start), size, chunks);
  }

  /// False if the system refuses; nothing more may be mapped then.
  bool map(const input_file& file, std::size_t offset, std::size_t size) {
    if (::mmap(data_ + offset, size, PROT_READ, MAP_SHARED | MAP_FIXED, file.descriptor(), 0) !=
        MAP_FAILED)
      return true;
    lost_ = {offset, size};
    return false;
  }

 private:
  mapped_storage(std::byte* start, std::size_t size, std::size_t chunks)
      : storage(start, size), chunks_(chunks) {}
  void release() override {
    // A failed MAP_FIXED may have left a hole, where another thread may have mapped something
    // since: it is not ours to unmap any more.
    const auto after = std::min(size_, lost_.offset + lost_.size);
    if (lost_.offset > 0) ::munmap(data_, lost_.offset);
    if (after < size_) ::munmap(data_ + after, size_ - after);
    mappings_in_use -= chunks_;
    delete this;
  }

  struct range {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  std::size_t chunks_;
  range lost_;
};

/// False if the system refuses to map; errors are about the chunk.
result<bool> map_chunk(chunk_store& store, const digest& name, mapped_storage& range,
                       std::size_t offset, std::size_t size) {
  // The size is that of the open file: to read a mapping beyond the end of its file is fatal.
  SHOAL_TRY(const auto chunk, store.open_chunk(name, size));
  if (!range.map(chunk.file, offset, size)) return false;
  SHOAL_CHECK(store.verify(name, chunk, {range.data() + offset, size}));
  return true;
}

error within_weight(error failure, const weight_manifest& manifest) {
  return std::move(failure).within(fmt::format("weight {}", manifest.name));
}

} // namespace

result<tensor> map_weight(chunk_store& store, const weight_manifest& manifest) {
  SHOAL_CHECK(check_manifest(manifest));
  if (manifest.bytes < smallest_mapped_weight) return read_weight(store, manifest);
  auto* range =
      mapped_storage::reserve(static_cast<std::size_t>(manifest.bytes), manifest.chunks.size());
  if (range == nullptr) return read_weight(store, manifest);
  auto owner = storage_ptr::adopt(range);
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i) {
    auto mapped =
        map_chunk(store, manifest.chunks[i], *range, i * chunk_bytes, chunk_size(manifest, i));
    if (!mapped) return within_weight(std::move(mapped).error(), manifest);
    if (!*mapped) return read_weight(store, manifest);
  }
  return tensor(manifest.type, std::move(owner));
}

result<tensor> read_weight(chunk_store& store, const weight_manifest& manifest) {
  SHOAL_CHECK(check_manifest(manifest));
  auto memory = allocate_storage(static_cast<std::size_t>(manifest.bytes));
  if (!memory)
    return fail(errc::resource_exhausted, "weight {}: no memory for {} bytes", manifest.name,
                manifest.bytes);
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i) {
    const mutable_byte_span into{memory->data() + i * chunk_bytes, chunk_size(manifest, i)};
    auto chunk = store.open_chunk(manifest.chunks[i], into.size());
    if (!chunk) return within_weight(std::move(chunk).error(), manifest);
    if (auto done = chunk->file.read_at(0, into); !done)
      return within_weight(std::move(done).error(), manifest);
    if (auto sound = store.verify(manifest.chunks[i], *chunk, into); !sound)
      return within_weight(std::move(sound).error(), manifest);
  }
  return tensor(manifest.type, std::move(memory));
}

} // namespace shoal
