#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/file.hpp"
#include "runtime/store/chunk_source.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace shoal {

struct chunk_store_options {
  /// What the chunks may take on disk. Beyond it the least recently used, unpinned chunks are
  /// deleted, down to nine tenths of it.
  std::uint64_t max_bytes = std::uint64_t{64} << 30;
  /// Chunks are checked against their name when they are read, so a crash costs a download at
  /// worst.
  durability sync = durability::cached;
};

/// Larger blobs are refused.
inline constexpr std::uint64_t max_blob_bytes = std::uint64_t{64} << 20;

/// A folder of chunks on disk. Any number of threads and processes may use the same folder at
/// once: chunks appear whole by renaming, are never changed, and one that another process deletes
/// is simply not found.
///
/// The first time that a process reads a chunk it is checked against its name; a chunk that is
/// corrupt or cut short is deleted and reported as `not_found`, so that the caller fetches it
/// again.
///
/// Pins hold within this process. Another process with a smaller cap may still delete a pinned
/// chunk: weights that are mapped stay valid, the rest is fetched again.
class chunk_store final : public chunk_source {
 public:
  /// Makes the folder if need be.
  static result<std::unique_ptr<chunk_store>> open(std::filesystem::path root,
                                                   chunk_store_options options = {});

  /// Stores `bytes` unless they are there already. `resource_exhausted` if the disk is full or
  /// the cap leaves no room beside what is pinned.
  result<digest> put(byte_span bytes);
  /// The same for bytes that the caller has hashed to `name` already.
  result<void> put(const digest& name, byte_span bytes);

  result<storage_ptr> read(const digest& name) override;
  bool contains(const digest& name) const override;
  /// Whether there is a chunk of this name and size; a chunk that was cut short does not count.
  bool contains(const digest& name, std::uint64_t size) const;
  /// Those of `names` that are not here, each once, in order.
  std::vector<digest> missing(std::span<const digest> names) const;
  /// Deletes a chunk, pinned or not, if it is here.
  void remove(const digest& name);

  /// As long as it lives, this process does not evict the chunks it was made for; they need not be
  /// here yet. Movable; may outlive the store.
  class pin;
  [[nodiscard]] pin pin_chunks(std::vector<digest> names);

  /// Bytes of all chunks as of the last scan, and what this process put since.
  std::uint64_t used_bytes() const;
  std::uint64_t max_bytes() const { return options_.max_bytes; }
  const std::filesystem::path& root() const { return root_; }

  /// A chunk file that was found, with the right size. For readers that bring their own memory.
  struct opened_chunk {
    input_file file;
    bool verified; ///< this process knows that the content fits the name
  };
  /// `size` is what the chunk must have, if known. Counts as a use.
  result<opened_chunk> open_chunk(const digest& name, std::optional<std::uint64_t> size);
  /// Checks `content`, read from `chunk`, unless that happened before; deletes the chunk if it is
  /// corrupt.
  result<void> verify(const digest& name, const opened_chunk& chunk, byte_span content);

 private:
  struct pin_table;

  chunk_store(std::filesystem::path root, chunk_store_options options);
  result<void> write(const digest& name, byte_span bytes);
  bool holds_sound_copy(const digest& name, std::uint64_t size);
  error reject(const digest& name, const file_identity& seen, std::string_view why);
  void remember_verified(const digest& name, const file_identity& identity);
  result<void> make_room(std::uint64_t bytes);
  result<void> evict_to(std::uint64_t target);

  std::filesystem::path root_;
  chunk_store_options options_;
  std::shared_ptr<pin_table> pins_;
  std::mutex eviction_mutex_; ///< one thread at a time scans and evicts; taken before `mutex_`
  mutable std::mutex mutex_;  ///< guards what follows
  std::unordered_map<digest, file_identity> verified_;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t put_since_scan_ = 0;
};

class chunk_store::pin {
 public:
  pin() = default;
  pin(pin&& other) noexcept = default;
  pin& operator=(pin&& other) noexcept;
  ~pin() { release(); }

 private:
  friend class chunk_store;
  pin(std::shared_ptr<pin_table> table, std::vector<digest> names);
  void release();

  std::shared_ptr<pin_table> table_;
  std::vector<digest> names_;
};

} // namespace shoal
