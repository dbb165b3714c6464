#pragma once

#include "runtime/store/chunk_store.hpp"
#include "runtime/store/weight_manifest.hpp"
#include "runtime/tensor/tensor.hpp"

namespace shoal {

/// A bias of a few hundred bytes is not worth a mapping and a page of its own.
inline constexpr std::uint64_t smallest_mapped_weight = 64 << 10;

/// The weight that `manifest` describes, its chunk files in `store` mapped one after the other into
/// one range of addresses: contiguous, page-aligned, read-only (writing to it ends the process),
/// shared with every other process that maps the same files, and paged in as it is used. Content
/// that this process has not verified yet is verified first. Evicting or deleting the files
/// afterwards does no harm.
///
/// `not_found` if a chunk is missing, cut short or corrupt; fetch it and call again. Falls back to
/// reading into memory where mapping fails or the process has very many mappings already, and reads
/// weights below `smallest_mapped_weight`. Chunk files must not be truncated from outside while
/// they are mapped: the store never does.
result<tensor> map_weight(chunk_store& store, const weight_manifest& manifest);

/// The same, always read into memory.
result<tensor> read_weight(chunk_store& store, const weight_manifest& manifest);

} // namespace shoal
