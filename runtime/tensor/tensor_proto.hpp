#pragma once

#include "runtime/tensor/tensor.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace onnx {
class TensorProto;
}

namespace shoal {

/// Between element types and their numbers in ONNX (TensorProto.DataType). `malformed` for the
/// number 0, which stands for no type, `unsupported` for types that Shoal has not.
result<dtype> dtype_from_onnx(int data_type);
int dtype_to_onnx(dtype type);

/// Where the bytes of a tensor lie that ONNX keeps outside of the model file, as the model says it:
/// nothing of it is checked. `offset` and `length` are empty when the model does not give them.
struct external_data_location {
  std::string location;
  std::string offset;
  std::string length;
};

/// Fetches external data; whoever provides it keeps the reader inside the model's folder.
using external_data_reader = std::function<result<storage_ptr>(const external_data_location&)>;

/// The tensor that an ONNX TensorProto holds: in `raw_data`, in the repeated field of its type, or
/// outside, through `external` (`unsupported` without it). Element count and bytes must match the
/// shape exactly, numbers must fit their type (`malformed`). Strings, complex numbers and segments
/// are `unsupported`. Errors name the tensor.
result<tensor> from_proto(const onnx::TensorProto& proto,
                          const external_data_reader& external = {});
/// The same without copying `raw_data`: the tensor takes it over, and `proto` loses it.
result<tensor> from_proto(onnx::TensorProto&& proto, const external_data_reader& external = {});

/// Fills `proto` with `values` as `raw_data`.
void to_proto(const tensor& values, std::string_view name, onnx::TensorProto& proto);

/// A file with one serialised TensorProto, as ONNX's test data have them. At most 2 GiB.
result<tensor> read_tensor_proto_file(const std::filesystem::path& path);
result<tensor> decode_tensor_proto(byte_span bytes);
result<std::string> encode_tensor_proto(const tensor& values, std::string_view name);
result<void> write_tensor_proto_file(const std::filesystem::path& path, const tensor& values,
                                     std::string_view name);

} // namespace shoal
