#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <charconv>

namespace shoal::onnx_reader {
namespace {

result<std::uint64_t> read_number(const std::string& text, std::string_view key) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number);
  if (text.empty() || code != std::errc() || stop != end)
    return fail(errc::malformed, "external data: {} is '{}', not a number", key,
                text.substr(0, 40));
  return number;
}

result<tensor> load_external(const external_data_location& where, const tensor_type& type,
                             weight_source* weights) {
  if (weights == nullptr)
    return fail(errc::unsupported,
                "its data is outside the model, in '{}', and a model in memory has no folder",
                where.location.substr(0, 100));
  std::uint64_t offset = 0;
  if (!where.offset.empty()) {
    SHOAL_TRY(offset, read_number(where.offset, "offset"));
  }
  std::optional<std::uint64_t> length;
  if (!where.length.empty()) {
    SHOAL_TRY(length, read_number(where.length, "length"));
  }
  return weights->load(where.location, offset, length, type);
}

} // namespace

result<void> constant_reader::count(std::uint64_t bytes) {
  const auto cap = options.limits.max_initializer_bytes;
  if (bytes > cap || total_bytes > cap - bytes)
    return fail(errc::resource_exhausted,
                "with its {} bytes the constants take more than the {} that are accepted", bytes,
                cap);
  total_bytes += bytes;
  return {};
}

result<tensor> constant_reader::read(onnx::TensorProto& proto) {
  bool counted = false;
  // Called after the type has been checked; data outside is counted before it is fetched.
  const auto fetch = [&](const external_data_location& where) -> result<storage_ptr> {
    tensor_type type;
    SHOAL_TRY(type.type, dtype_from_onnx(proto.data_type()));
    for (const auto extent : proto.dims()) type.dims.push_back(extent);
    SHOAL_CHECK(count(static_cast<std::uint64_t>(type.dims.element_count()) * size_of(type.type)));
    counted = true;
    SHOAL_TRY(auto loaded, load_external(where, type, weights));
    const auto& bytes = loaded.bytes_owner();
    if (loaded.byte_offset() == 0 && bytes->size() == loaded.byte_size()) return bytes;
    const auto owner = std::make_shared<const tensor>(std::move(loaded));
    return share_storage(owner, owner->data(), owner->byte_size());
  };
  const std::string name = proto.name();
  SHOAL_TRY(auto value, from_proto(std::move(proto), fetch));
  if (counted) return value;
  auto within_cap = count(value.byte_size());
  if (!within_cap) return std::move(within_cap).error().within(fmt::format("tensor \"{}\"", name));
  return value;
}

} // namespace shoal::onnx_reader
