#include "runtime/store/memory_chunk_source.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"

namespace shoal {

result<void> memory_chunk_source::add(const weight_manifest& manifest, const tensor& weight) {
  SHOAL_CHECK(check_manifest(manifest));
  if (weight.byte_size() != manifest.bytes)
    return fail(errc::invalid_argument, "weight {}: expected {} bytes, got {}", manifest.name,
                manifest.bytes, weight.byte_size());
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i)
    add_piece(manifest.chunks[i], {weight.bytes_owner(), weight.byte_offset() + i * chunk_bytes,
                                   chunk_size(manifest, i), 0});
  return {};
}

digest memory_chunk_source::add(storage_ptr blob) {
  const std::size_t size = blob->size();
  const digest name = sha256({blob->data(), size});
  std::lock_guard lock(mutex_);
  add_piece(name, {std::move(blob), 0, size, 0});
  return name;
}

void memory_chunk_source::add_piece(const digest& name, piece fresh) {
  ++pieces_.try_emplace(name, std::move(fresh)).first->second.uses;
}

void memory_chunk_source::remove(const weight_manifest& manifest) {
  for (const auto& name : manifest.chunks) remove(name);
}

void memory_chunk_source::remove(const digest& name) {
  storage_ptr last; // freed outside the lock
  std::lock_guard lock(mutex_);
  const auto found = pieces_.find(name);
  if (found == pieces_.end() || --found->second.uses > 0) return;
  last = std::move(found->second.owner);
  pieces_.erase(found);
}

result<storage_ptr> memory_chunk_source::read(const digest& name) {
  std::lock_guard lock(mutex_);
  const auto found = pieces_.find(name);
  if (found == pieces_.end())
    return fail(errc::not_found, "chunk {} is not in memory", to_string(name));
  const piece& it = found->second;
  if (it.offset == 0 && it.size == it.owner->size()) return it.owner;
  const auto* data = it.owner->data() + it.offset;
  return share_storage(std::make_shared<storage_ptr>(it.owner), data, it.size);
}

bool memory_chunk_source::contains(const digest& name) const {
  std::lock_guard lock(mutex_);
  return pieces_.contains(name);
}

} // namespace shoal
