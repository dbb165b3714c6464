#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <charconv>
#include <cstring>

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

result<tensor> read_external(const onnx::TensorProto& proto, const tensor_type& type,
                             weight_source* weights) {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      SHOAL_TRY(offset, read_number(entry.value(), "offset"));
    } else if (entry.key() == "length") {
      SHOAL_TRY(length, read_number(entry.value(), "length"));
    }
  }
  if (weights == nullptr)
    return fail(errc::unsupported,
                "its data is outside the model ('{}'), and a model in memory has no folder",
                location.substr(0, 100));
  return weights->load(location, offset, length, type);
}

/// Shares the bytes of `raw`, or copies them where their address does not suit the type.
result<tensor> adopt_raw(std::string raw, const tensor_type& type) {
  const auto need = static_cast<std::size_t>(type.dims.element_count()) * size_of(type.type);
  if (raw.size() != need)
    return fail(errc::malformed, "{} takes {} bytes, raw_data has {}", to_string(type), need,
                raw.size());
  const auto owner = std::make_shared<const std::string>(std::move(raw));
  if (reinterpret_cast<std::uintptr_t>(owner->data()) % size_of(type.type) == 0)
    return tensor(type, share_storage(owner, owner->data(), need));
  SHOAL_TRY(auto copy, tensor::allocate(type));
  std::memcpy(copy.mutable_data(), owner->data(), need);
  return copy;
}

} // namespace

result<dtype> read_dtype(std::int32_t onnx_type, std::string_view owner) {
  switch (onnx_type) {
  case onnx::TensorProto::FLOAT:
    return dtype::f32;
  case onnx::TensorProto::DOUBLE:
    return dtype::f64;
  case onnx::TensorProto::FLOAT16:
    return dtype::f16;
  case onnx::TensorProto::BFLOAT16:
    return dtype::bf16;
  case onnx::TensorProto::INT8:
    return dtype::i8;
  case onnx::TensorProto::INT16:
    return dtype::i16;
  case onnx::TensorProto::INT32:
    return dtype::i32;
  case onnx::TensorProto::INT64:
    return dtype::i64;
  case onnx::TensorProto::UINT8:
    return dtype::u8;
  case onnx::TensorProto::UINT16:
    return dtype::u16;
  case onnx::TensorProto::UINT32:
    return dtype::u32;
  case onnx::TensorProto::UINT64:
    return dtype::u64;
  case onnx::TensorProto::BOOL:
    return dtype::boolean;
  default:
    break;
  }
  if (onnx::TensorProto::DataType_IsValid(onnx_type))
    return fail(errc::unsupported, "{}: element type {} is not supported", owner,
                onnx::TensorProto::DataType_Name(onnx::TensorProto::DataType(onnx_type)));
  return fail(errc::unsupported, "{}: element type {} is not supported", owner, onnx_type);
}

result<tensor> constant_reader::read(onnx::TensorProto& proto, std::string_view owner) {
  SHOAL_TRY(const auto type, read_dtype(proto.data_type(), owner));
  if (proto.dims_size() > shape::max_rank)
    return fail(errc::unsupported, "{}: {} dimensions, at most {} are supported", owner,
                proto.dims_size(), shape::max_rank);
  const std::span<const std::int64_t> dims(proto.dims().data(),
                                           static_cast<std::size_t>(proto.dims_size()));
  auto count = checked_element_count(dims);
  if (!count) return std::move(count).error().within(owner);
  const auto bytes = static_cast<std::uint64_t>(*count) * size_of(type);
  const auto cap = options.limits.max_initializer_bytes;
  if (bytes > cap || total_bytes > cap - bytes)
    return fail(errc::resource_exhausted,
                "{}: with its {} bytes the constants take more than the "
                "{} that are accepted",
                owner, bytes, cap);
  total_bytes += bytes;
  const tensor_type full{type, shape(dims)};
  auto value = proto.data_location() == onnx::TensorProto::EXTERNAL
                   ? read_external(proto, full, weights)
                   : adopt_raw(std::move(*proto.mutable_raw_data()), full);
  if (!value) return std::move(value).error().within(owner);
  return value;
}

} // namespace shoal::onnx_reader
