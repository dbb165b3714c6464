#include "runtime/store/package.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/net/wire.hpp"
#include "runtime/store/mapped_weights.hpp"

#include <charconv>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace shoal {
namespace {

constexpr std::string_view magic = "SHOALPKG";
constexpr std::uint32_t package_version = 1;
constexpr std::uint32_t most_weights = 1 << 20;
constexpr std::size_t longest_name = 4096;
constexpr std::string_view location_prefix = "weight:";

std::size_t encoded_size(const weight_manifest& w) {
  return 2 + w.name.size() + 1 + 1 + 8 * static_cast<std::size_t>(w.type.dims.rank()) + 8 +
         w.chunks.size() * sizeof(digest::bytes);
}

void put_manifest(wire_writer& out, const weight_manifest& w) {
  out.put(static_cast<std::uint16_t>(w.name.size()));
  out.put_bytes(bytes_of(w.name));
  out.put(static_cast<std::uint8_t>(w.type.type));
  out.put(static_cast<std::uint8_t>(w.type.dims.rank()));
  for (const auto extent : w.type.dims) out.put(static_cast<std::uint64_t>(extent));
  out.put(w.bytes);
  for (const auto& chunk : w.chunks) out.put_bytes(std::as_bytes(std::span(chunk.bytes)));
}

result<weight_manifest> take_manifest(wire_reader& in) {
  weight_manifest w;
  const auto length = in.take<std::uint16_t>();
  w.name = text_of(in.take_bytes(length));
  const auto type = in.take<std::uint8_t>(), rank = in.take<std::uint8_t>();
  if (!in.ok() || length > longest_name || type >= dtype_count || rank > shape::max_rank)
    return fail(errc::malformed, "package: a weight of type {} and rank {}", type, rank);
  w.type.type = static_cast<dtype>(type);
  for (int axis = 0; axis < rank; ++axis)
    w.type.dims.push_back(static_cast<std::int64_t>(in.take<std::uint64_t>()));
  w.bytes = in.take<std::uint64_t>();
  const auto chunks = w.bytes / chunk_bytes + (w.bytes % chunk_bytes == 0 ? 0 : 1);
  if (chunks > in.rest().size() / sizeof(digest::bytes))
    return fail(errc::malformed, "package: weight '{}' claims {} bytes, its chunks are cut short",
                w.name, w.bytes);
  for (std::uint64_t i = 0; i < chunks; ++i) {
    const auto bytes = in.take_bytes(sizeof(digest::bytes));
    if (!in.ok()) break;
    std::memcpy(w.chunks.emplace_back().bytes.data(), bytes.data(), bytes.size());
  }
  SHOAL_CHECK(check_manifest(w));
  return w;
}

struct opened_package {
  std::vector<weight_manifest> weights;
  byte_span onnx;
};

result<opened_package> open_package(byte_span blob) {
  wire_reader in(blob);
  if (text_of(in.take_bytes(magic.size())) != magic)
    return fail(errc::malformed, "package: {} bytes that do not begin with {}", blob.size(), magic);
  if (const auto version = in.take<std::uint32_t>(); version != package_version)
    return fail(errc::version_mismatch, "package: version {} came, this is version {}", version,
                package_version);
  const auto count = in.take<std::uint32_t>();
  const auto onnx_bytes = in.take<std::uint64_t>();
  if (count > most_weights)
    return fail(errc::malformed, "package: {} weights, at most {} are allowed", count,
                most_weights);
  opened_package opened;
  for (std::uint32_t i = 0; i < count; ++i) {
    SHOAL_TRY(auto weight, take_manifest(in));
    opened.weights.push_back(std::move(weight));
  }
  if (!in.ok() || in.rest().size() != onnx_bytes)
    return fail(errc::malformed, "package: {} bytes of ONNX are announced, {} are there",
                onnx_bytes, in.rest().size());
  opened.onnx = in.rest();
  return opened;
}

/// Gives the importer the weights that "weight:N" names.
template <class Load>
class package_weights final : public weight_source {
 public:
  package_weights(const std::vector<weight_manifest>& weights, Load load)
      : weights_(weights), load_(std::move(load)) {}

  result<tensor> load(const std::string& location, std::uint64_t offset,
                      std::optional<std::uint64_t>, const tensor_type& type) override {
    std::size_t index = 0;
    const auto* end = location.data() + location.size();
    const bool named = location.starts_with(location_prefix);
    const auto parsed = std::from_chars(
        location.data() + (named ? location_prefix.size() : location.size()), end, index);
    if (!named || parsed.ec != std::errc() || parsed.ptr != end || index >= weights_.size() ||
        offset != 0)
      return fail(errc::malformed, "package: external data '{}' is none of its {} weights",
                  location, weights_.size());
    if (weights_[index].type != type)
      return fail(errc::malformed, "package: weight {} is {}, the model says {}", index,
                  to_string(weights_[index].type), to_string(type));
    return load_(weights_[index]);
  }

 private:
  const std::vector<weight_manifest>& weights_;
  Load load_;
};

template <class Load>
result<std::shared_ptr<const graph>> unpack(byte_span blob, Load load) {
  SHOAL_TRY(const auto opened, open_package(blob));
  package_weights source(opened.weights, std::move(load));
  import_options options;
  options.weights = &source;
  options.untyped_inputs = true;
  SHOAL_TRY(auto imported, import_onnx_bytes(opened.onnx, options));
  return imported.model;
}

result<tensor> gather_chunks(chunk_source& source, const weight_manifest& weight) {
  SHOAL_TRY(auto whole, tensor::allocate(weight.type));
  std::size_t at = 0;
  for (const auto& name : weight.chunks) {
    SHOAL_TRY(const auto chunk, source.read(name));
    if (chunk->size() > whole.byte_size() - at)
      return fail(errc::malformed, "package: the chunks of '{}' are longer than it is",
                  weight.name);
    std::memcpy(whole.mutable_data() + at, chunk->data(), chunk->size());
    at += chunk->size();
  }
  return whole;
}

} // namespace

result<package> pack_graph(const graph& model, memory_chunk_source& source) {
  package out;
  export_options options;
  options.place = [&](const graph_value& value) -> std::optional<external_location> {
    out.weights.push_back(describe_weight(value.name.substr(0, longest_name), value.constant));
    if (!source.add(out.weights.back(), value.constant)) return std::nullopt;
    return external_location{fmt::format("{}{}", location_prefix, out.weights.size() - 1), 0};
  };
  SHOAL_TRY(const auto onnx, export_onnx_bytes(model, options));
  std::size_t size = magic.size() + 4 + 4 + 8 + onnx.size();
  for (const auto& weight : out.weights) size += encoded_size(weight);
  out.blob = allocate_storage(size);
  if (!out.blob) return fail(errc::resource_exhausted, "no memory for a package of {} bytes", size);
  wire_writer w({out.blob->data(), size});
  w.put_bytes(bytes_of(magic));
  w.put(package_version);
  w.put(static_cast<std::uint32_t>(out.weights.size()));
  w.put(static_cast<std::uint64_t>(onnx.size()));
  for (const auto& weight : out.weights) put_manifest(w, weight);
  w.put_bytes(bytes_of(onnx));
  out.name = source.add(out.blob);
  return out;
}

result<std::vector<weight_manifest>> read_manifests(byte_span blob) {
  SHOAL_TRY(auto opened, open_package(blob));
  return std::move(opened.weights);
}

result<std::shared_ptr<const graph>> unpack_graph(byte_span blob, chunk_store& store) {
  return unpack(blob, [&store](const weight_manifest& w) { return map_weight(store, w); });
}

result<std::shared_ptr<const graph>> unpack_graph(byte_span blob, chunk_source& source) {
  return unpack(blob, [&source](const weight_manifest& w) { return gather_chunks(source, w); });
}

std::vector<wanted_chunk> chunks_of(const std::vector<weight_manifest>& weights) {
  std::vector<wanted_chunk> all, once;
  for (const auto& weight : weights) append_chunks(weight, all);
  std::unordered_set<digest> seen;
  for (const auto& chunk : all)
    if (seen.insert(chunk.name).second) once.push_back(chunk);
  return once;
}

} // namespace shoal
