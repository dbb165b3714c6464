#include "runtime/tensor/tensor_proto.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/tensor/booleans.hpp"

#include <onnx/onnx_pb.h>

#include <array>
#include <bit>
#include <climits>
#include <cstring>
#include <limits>

namespace shoal {
namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little); // raw_data is little-endian

result<tensor_type> type_of(const TensorProto& proto) {
  if (proto.has_segment()) return fail(errc::unsupported, "segmented tensors are not supported");
  tensor_type type;
  SHOAL_TRY(type.type, dtype_from_onnx(proto.data_type()));
  if (proto.dims_size() > shape::max_rank)
    return fail(errc::unsupported, "{} dimensions, more than the {} supported", proto.dims_size(),
                shape::max_rank);
  for (const auto extent : proto.dims()) type.dims.push_back(extent);
  SHOAL_CHECK(checked_element_count(type.dims.span()));
  return type;
}

std::size_t byte_size(const tensor_type& type) {
  return static_cast<std::size_t>(type.dims.element_count()) * size_of(type.type);
}

result<void> check_bytes(const tensor_type& type, std::size_t bytes, std::string_view where) {
  if (bytes == byte_size(type)) return {};
  return fail(errc::malformed, "{} takes {} bytes, {} has {}", to_string(type), byte_size(type),
              where, bytes);
}

result<void> check_single_source(const TensorProto& proto) {
  const int sources = int{proto.has_raw_data()} + int{proto.float_data_size() > 0} +
                      int{proto.int32_data_size() > 0} + int{proto.int64_data_size() > 0} +
                      int{proto.double_data_size() > 0} + int{proto.uint64_data_size() > 0} +
                      int{proto.string_data_size() > 0};
  const bool external = proto.data_location() == TensorProto::EXTERNAL;
  if (sources + int{external} > 1)
    return fail(errc::malformed, "the elements are given in {} places", sources + int{external});
  return {};
}

/// Copies `field` into a tensor of `T`, range-checked.
template <class T, class Field>
result<tensor> from_numbers(const tensor_type& type, const Field& field, std::string_view name) {
  const auto count = type.dims.element_count();
  if (field.size() != count)
    return fail(errc::malformed, "{} has {} elements, {} has {}", to_string(type), count, name,
                field.size());
  SHOAL_TRY(auto values, tensor::allocate(type));
  const auto out = values.mutable_values<T>();
  for (int i = 0; i < field.size(); ++i) {
    const auto value = field.Get(i);
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16> ||
                  std::is_same_v<T, bool>) { // the bits of the element as a number
      constexpr std::int64_t top = std::is_same_v<T, bool> ? 1 : 0xffff;
      if (value < 0 || value > top)
        return fail(errc::malformed, "element {} of {} is {}, expected 0 to {}", i, name, value,
                    top);
      if constexpr (std::is_same_v<T, bool>)
        out[static_cast<std::size_t>(i)] = value == 1;
      else
        out[static_cast<std::size_t>(i)].bits = static_cast<std::uint16_t>(value);
    } else {
      if constexpr (std::is_integral_v<T>)
        if (!std::in_range<T>(value))
          return fail(errc::malformed, "element {} of {} is {}, which no {} can hold", i, name,
                      value, to_string(type.type));
      out[static_cast<std::size_t>(i)] = static_cast<T>(value);
    }
  }
  return values;
}

result<tensor> from_fields(const tensor_type& type, const TensorProto& proto) {
  return visit_dtype(type.type, [&](auto tag) -> result<tensor> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, float>)
      return from_numbers<T>(type, proto.float_data(), "float_data");
    else if constexpr (std::is_same_v<T, double>)
      return from_numbers<T>(type, proto.double_data(), "double_data");
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return from_numbers<T>(type, proto.int64_data(), "int64_data");
    else if constexpr (std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t>)
      return from_numbers<T>(type, proto.uint64_data(), "uint64_data");
    else
      return from_numbers<T>(type, proto.int32_data(), "int32_data");
  });
}

result<tensor> from_storage(const tensor_type& type, storage_ptr bytes) {
  const bool later = bytes->deferred() && type.type != dtype::boolean; // it will be aligned
  tensor values;
  if (later || reinterpret_cast<std::uintptr_t>(bytes->data()) % size_of(type.type) == 0) {
    values = tensor(type, std::move(bytes));
  } else {
    SHOAL_TRY(values, tensor::allocate(type));
    if (values.byte_size() > 0)
      std::memcpy(values.mutable_data(), bytes->data(), values.byte_size());
  }
  if (!later) SHOAL_CHECK(check_booleans(values));
  return values;
}

result<tensor> from_external(const tensor_type& type, const TensorProto& proto,
                             const external_data_reader& read) {
  if (!read) return fail(errc::unsupported, "external data are not supported here");
  external_data_location where;
  const std::pair<std::string_view, std::string*> known[] = {
      {"location", &where.location}, {"offset", &where.offset}, {"length", &where.length}};
  for (const auto& entry : proto.external_data())
    for (const auto& [key, value] : known) {
      if (entry.key() != key) continue;
      if (!value->empty()) return fail(errc::malformed, "external data with two of {}", key);
      *value = entry.value();
    }
  if (where.location.empty()) return fail(errc::malformed, "external data without a location");
  SHOAL_TRY(auto bytes, read(where));
  SHOAL_CHECK(check_bytes(type, bytes->size(), "the external data"));
  return from_storage(type, std::move(bytes));
}

/// `take_raw` gives up the raw bytes of the proto, moved or copied.
template <class TakeRaw>
result<tensor> convert(const TensorProto& proto, const external_data_reader& external,
                       TakeRaw take_raw) {
  SHOAL_TRY(const auto type, type_of(proto));
  SHOAL_CHECK(check_single_source(proto));
  if (proto.data_location() == TensorProto::EXTERNAL) return from_external(type, proto, external);
  if (!proto.has_raw_data()) return from_fields(type, proto);
  SHOAL_CHECK(check_bytes(type, proto.raw_data().size(), "raw_data"));
  return take_raw(type);
}

result<tensor> named(result<tensor> values, const std::string& name) {
  if (values) return values;
  return std::move(values).error().within(fmt::format("tensor \"{}\"", name));
}

} // namespace

result<dtype> dtype_from_onnx(int data_type) {
  switch (data_type) {
  case TensorProto::FLOAT:
    return dtype::f32;
  case TensorProto::DOUBLE:
    return dtype::f64;
  case TensorProto::FLOAT16:
    return dtype::f16;
  case TensorProto::BFLOAT16:
    return dtype::bf16;
  case TensorProto::INT8:
    return dtype::i8;
  case TensorProto::INT16:
    return dtype::i16;
  case TensorProto::INT32:
    return dtype::i32;
  case TensorProto::INT64:
    return dtype::i64;
  case TensorProto::UINT8:
    return dtype::u8;
  case TensorProto::UINT16:
    return dtype::u16;
  case TensorProto::UINT32:
    return dtype::u32;
  case TensorProto::UINT64:
    return dtype::u64;
  case TensorProto::BOOL:
    return dtype::boolean;
  case TensorProto::UNDEFINED:
    return fail(errc::malformed, "the element type is undefined");
  default:
    break;
  }
  if (!TensorProto::DataType_IsValid(data_type))
    return fail(errc::unsupported, "unknown ONNX element type {}", data_type);
  return fail(errc::unsupported, "ONNX element type {} is not supported",
              TensorProto::DataType_Name(static_cast<TensorProto::DataType>(data_type)));
}

int dtype_to_onnx(dtype type) {
  static constexpr std::array<int, dtype_count> types = {
      TensorProto::FLOAT, TensorProto::DOUBLE, TensorProto::FLOAT16, TensorProto::BFLOAT16,
      TensorProto::INT8,  TensorProto::INT16,  TensorProto::INT32,   TensorProto::INT64,
      TensorProto::UINT8, TensorProto::UINT16, TensorProto::UINT32,  TensorProto::UINT64,
      TensorProto::BOOL};
  return types[static_cast<std::size_t>(type)];
}

result<tensor> from_proto(const TensorProto& proto, const external_data_reader& external) {
  auto values = convert(proto, external, [&](const tensor_type& type) -> result<tensor> {
    SHOAL_TRY(auto copy, tensor::allocate(type));
    if (copy.byte_size() > 0)
      std::memcpy(copy.mutable_data(), proto.raw_data().data(), copy.byte_size());
    SHOAL_CHECK(check_booleans(copy));
    return copy;
  });
  return named(std::move(values), proto.name());
}

result<tensor> from_proto(TensorProto&& proto, const external_data_reader& external) {
  auto values = convert(proto, external, [&](const tensor_type& type) -> result<tensor> {
    auto raw = std::make_shared<std::string>(std::move(*proto.mutable_raw_data()));
    const auto* data = raw->data();
    const auto size = raw->size();
    return from_storage(type, share_storage(std::move(raw), data, size));
  });
  return named(std::move(values), proto.name());
}

void to_proto(const tensor& values, std::string_view name, TensorProto& proto) {
  proto.Clear();
  proto.set_name(std::string(name));
  proto.set_data_type(dtype_to_onnx(values.element_type()));
  for (const auto extent : values.dims()) proto.add_dims(extent);
  proto.set_raw_data(reinterpret_cast<const char*>(values.data()), values.byte_size());
}

result<tensor> decode_tensor_proto(byte_span bytes) {
  TensorProto proto;
  if (bytes.size() > INT_MAX)
    return fail(errc::unsupported, "a TensorProto of {} bytes: protobuf ends at 2 GiB",
                bytes.size());
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(errc::malformed, "not a TensorProto: protobuf cannot parse its {} bytes",
                bytes.size());
  return from_proto(std::move(proto));
}

result<tensor> read_tensor_proto_file(const std::filesystem::path& path) {
  SHOAL_TRY(const auto bytes, read_file(path, INT_MAX));
  auto values = decode_tensor_proto(bytes_of(bytes));
  if (!values) return std::move(values).error().within(path.string());
  return values;
}

result<std::string> encode_tensor_proto(const tensor& values, std::string_view name) {
  constexpr std::size_t overhead = 4096; // name, type and shape
  if (values.byte_size() > INT_MAX - overhead || name.size() > overhead / 2)
    return fail(errc::unsupported,
                "{} ({} bytes) does not fit a TensorProto: protobuf ends at 2 GiB",
                to_string(values.type()), values.byte_size());
  TensorProto proto;
  to_proto(values, name, proto);
  return proto.SerializeAsString();
}

result<void> write_tensor_proto_file(const std::filesystem::path& path, const tensor& values,
                                     std::string_view name) {
  SHOAL_TRY(const auto bytes, encode_tensor_proto(values, name));
  return replace_file(path, std::array{bytes_of(bytes)});
}

} // namespace shoal
