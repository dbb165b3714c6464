#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/graph/onnx_import.hpp"

#include <google/protobuf/io/zero_copy_stream.h>
#include <onnx/onnx_pb.h>

#include <map>

/// The steps of the ONNX import; onnx_import.cpp puts them together. Only the import's own files
/// include this, as it draws in the generated protobuf classes.
namespace shoal::onnx_reader {

/// Walks `size` bytes of the wire format before anything is built from them: nesting and the number
/// of fields stay within the limits and every length fits what encloses it. Says where a truncated
/// file ends.
result<void> scan(google::protobuf::io::ZeroCopyInputStream& stream, std::uint64_t size,
                  const import_limits& limits);

/// What constants draw on: limits, external data, and how much they amount to so far.
struct constant_reader {
  const import_options& options;
  weight_source* weights;
  std::uint64_t total_bytes = 0;

  /// Takes the bytes out of `proto`; errors name the tensor.
  result<tensor> read(onnx::TensorProto& proto);

 private:
  result<void> count(std::uint64_t bytes);
};

/// All attributes of a node but graphs; tensors are taken out of `proto`.
result<attributes> read_attributes(onnx::NodeProto& proto, constant_reader& constants);

/// Arity and attributes against the schema that the ONNX library has of this version, if any.
result<void> check_schema(const onnx::NodeProto& proto, std::string_view node_name, int opset);

/// Type, if any, of an input, output or inner value. `side` is for messages, as in "input".
result<graph_value> read_value_info(const onnx::ValueInfoProto& proto, std::string_view side,
                                    const import_limits& limits);

result<void> check_name(std::string_view name, std::string_view what, const import_limits& limits);

/// The whole graph, with the bodies of its nodes. Its constants are taken out of `proto`.
result<graph> read_graph(onnx::GraphProto& proto, const std::map<std::string, int>& opsets,
                         constant_reader& constants);

} // namespace shoal::onnx_reader
