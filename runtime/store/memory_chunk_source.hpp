#pragma once

#include "runtime/store/chunk_source.hpp"
#include "runtime/store/weight_manifest.hpp"
#include "runtime/tensor/tensor.hpp"

#include <mutex>
#include <unordered_map>

namespace shoal {

/// Serves the chunks of tensors that are in memory anyway, without a copy and without a disk: a
/// head that loaded a model is its own store. What it hands out keeps the tensor alive.
class memory_chunk_source final : public chunk_source {
 public:
  /// `weight` is the tensor that `manifest` was made from (`describe_weight`), and is not written
  /// to again. `invalid_argument` if their sizes differ.
  result<void> add(const weight_manifest& manifest, const tensor& weight);
  /// A single chunk of any size; returns its digest.
  digest add(storage_ptr blob);
  /// Takes back one `add` of this manifest; chunks that others added too stay.
  void remove(const weight_manifest& manifest);
  void remove(const digest& name);

  result<storage_ptr> read(const digest& name) override;
  bool contains(const digest& name) const override;

 private:
  struct piece {
    storage_ptr owner;
    std::size_t offset = 0;
    std::size_t size = 0;
    int uses = 0;
  };
  void add_piece(const digest& name, piece fresh);

  mutable std::mutex mutex_;
  std::unordered_map<digest, piece> pieces_;
};

} // namespace shoal
