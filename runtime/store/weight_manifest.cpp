#include "runtime/store/weight_manifest.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/store/chunk_store.hpp"

#include <algorithm>

namespace shoal {
namespace {

byte_span chunk_of(const tensor& weight, std::size_t begin) {
  const auto bytes = weight.bytes();
  return bytes.subspan(begin, std::min(chunk_bytes, bytes.size() - begin));
}

weight_manifest without_chunks(std::string name, const tensor& weight) {
  weight_manifest manifest{std::move(name), weight.type(), weight.byte_size(), {}};
  manifest.chunks.reserve((manifest.bytes + chunk_bytes - 1) / chunk_bytes);
  return manifest;
}

} // namespace

std::size_t chunk_size(const weight_manifest& manifest, std::size_t index) {
  assert(index < manifest.chunks.size());
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(chunk_bytes, manifest.bytes - index * chunk_bytes));
}

result<void> check_manifest(const weight_manifest& manifest) {
  if (static_cast<int>(manifest.type.type) >= dtype_count)
    return fail(errc::malformed, "weight {}: unknown element type {}", manifest.name,
                static_cast<int>(manifest.type.type));
  auto count = checked_element_count(manifest.type.dims.span());
  if (!count) return std::move(count).error().within(fmt::format("weight {}", manifest.name));
  const auto bytes = static_cast<std::uint64_t>(*count) * size_of(manifest.type.type);
  if (manifest.bytes != bytes)
    return fail(errc::malformed, "weight {}: {} has {} bytes, the manifest says {}", manifest.name,
                to_string(manifest.type), bytes, manifest.bytes);
  const auto chunks = (bytes + chunk_bytes - 1) / chunk_bytes;
  if (manifest.chunks.size() != chunks)
    return fail(errc::malformed, "weight {}: {} bytes are {} chunks, the manifest names {}",
                manifest.name, bytes, chunks, manifest.chunks.size());
  return {};
}

weight_manifest describe_weight(std::string name, const tensor& weight) {
  auto manifest = without_chunks(std::move(name), weight);
  for (std::size_t begin = 0; begin < manifest.bytes; begin += chunk_bytes)
    manifest.chunks.push_back(sha256(chunk_of(weight, begin)));
  return manifest;
}

result<weight_manifest> publish_weight(std::string name, const tensor& weight, chunk_store& store) {
  auto manifest = without_chunks(std::move(name), weight);
  for (std::size_t begin = 0; begin < manifest.bytes; begin += chunk_bytes) {
    auto chunk = store.put(chunk_of(weight, begin));
    if (!chunk) return std::move(chunk).error().within(fmt::format("weight {}", manifest.name));
    manifest.chunks.push_back(*chunk);
  }
  return manifest;
}

} // namespace shoal
