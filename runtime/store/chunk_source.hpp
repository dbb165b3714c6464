#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/tensor/storage.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace shoal {

/// Weights are cut into chunks of this many bytes (the last one may be shorter), each named by its
/// SHA-256. A multiple of every page size in use, so that chunk files map side by side.
inline constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

/// Something that has content by digest: a folder on disk, the weights of a model in memory.
/// Thread-safe.
class chunk_source {
 public:
  virtual ~chunk_source() = default;

  /// The bytes whose SHA-256 is `name`, read-only; `not_found` if this source has no sound copy.
  virtual result<storage_ptr> read(const digest& name) = 0;
  /// Whether `read` can be expected to succeed; never looks at the bytes.
  virtual bool contains(const digest& name) const = 0;
};

/// Asks its layers in order; what one does not have, or cannot read, the next may.
class layered_chunk_source final : public chunk_source {
 public:
  explicit layered_chunk_source(std::vector<std::shared_ptr<chunk_source>> layers)
      : layers_(std::move(layers)) {}

  result<storage_ptr> read(const digest& name) override;
  bool contains(const digest& name) const override;

 private:
  std::vector<std::shared_ptr<chunk_source>> layers_;
};

} // namespace shoal
