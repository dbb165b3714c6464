#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/store/chunk_store.hpp"
#include "runtime/store/fetch_plan.hpp"
#include "runtime/store/memory_chunk_source.hpp"
#include "runtime/store/weight_manifest.hpp"

#include <memory>
#include <string>
#include <vector>

namespace shoal {

/// A graph as it travels between machines: a small blob with its structure and small constants, and
/// the manifests of its large weights, which are fetched chunk by chunk. Whole models and single
/// stages travel alike; equal graphs make equal packages, so what a node has once it never fetches
/// again.
///
/// The blob, little-endian: "SHOALPKG", u32 version, u32 number of weights, u64 bytes of the ONNX
/// model; per weight u16 and the name, u8 dtype, u8 rank, rank × u64 extent, u64 bytes and the
/// digests of its chunks (their number follows from the bytes); then the ONNX model, whose external
/// data are named "weight:N".
struct package {
  digest name; ///< of the blob
  storage_ptr blob;
  std::vector<weight_manifest> weights;

  std::uint64_t blob_bytes() const { return blob->size(); }
};

/// Packs a graph. Blob and weights are offered in `source`, sharing the graph's memory.
result<package> pack_graph(const graph& model, memory_chunk_source& source);

/// The weights' manifests of a blob; `malformed` for one that breaks the format, `version_mismatch`
/// for another version's.
result<std::vector<weight_manifest>> read_manifests(byte_span blob);

/// The graph of a blob whose chunks are all in `store`: weights are mapped.
result<std::shared_ptr<const graph>> unpack_graph(byte_span blob, chunk_store& store);

/// The same from chunks in memory; weights are put together by copying.
result<std::shared_ptr<const graph>> unpack_graph(byte_span blob, chunk_source& source);

/// What a blob needs besides itself, each chunk once.
std::vector<wanted_chunk> chunks_of(const std::vector<weight_manifest>& weights);

} // namespace shoal
