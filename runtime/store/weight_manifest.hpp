#pragma once

#include "runtime/store/chunk_source.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

class chunk_store;

/// What a node needs to know to fetch one weight and to use it: type, shape and the names of its
/// chunks, in order. All but the last chunk have `chunk_bytes` bytes.
struct weight_manifest {
  std::string name;
  tensor_type type;
  std::uint64_t bytes = 0;
  std::vector<digest> chunks;

  friend bool operator==(const weight_manifest&, const weight_manifest&) = default;
};

/// Bytes of chunk `index`, which must exist.
std::size_t chunk_size(const weight_manifest& manifest, std::size_t index);

/// `malformed` unless shape, bytes and number of chunks agree. For manifests from outside; all
/// functions that take a manifest call it.
result<void> check_manifest(const weight_manifest& manifest);

/// The manifest of `weight`: hashes its chunks, copies and stores nothing.
weight_manifest describe_weight(std::string name, const tensor& weight);

/// Puts every chunk of `weight` into `store`.
result<weight_manifest> publish_weight(std::string name, const tensor& weight, chunk_store& store);

} // namespace shoal
