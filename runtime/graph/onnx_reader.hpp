#pragma once

#include "runtime/base/file.hpp"
#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/graph/onnx_import.hpp"

#include <google/protobuf/io/zero_copy_stream.h>
#include <onnx/onnx_pb.h>

#include <map>

/// The steps of the ONNX import; onnx_import.cpp puts them together. Only the import's own files
/// and their tests include this, as it draws in the generated protobuf classes.
namespace shoal::onnx_reader {

/// Where in a file the large raw data of tensors lie, and the messages around them.
struct wire_span {
  std::uint32_t tag = 0;                       ///< number and wire type of the field
  std::uint64_t start = 0, begin = 0, end = 0; ///< of the tag, of the content, behind it
  std::vector<wire_span> inner;                ///< empty: raw data
};

/// Walks `size` bytes of the wire format before anything is built from them: nesting and the number
/// of fields stay within the limits and every length fits what encloses it. Says where a truncated
/// file ends. Returns where there are raw data of at least `large` bytes, in order.
result<std::vector<wire_span>> scan(google::protobuf::io::ZeroCopyInputStream& stream,
                                    std::uint64_t size, const import_limits& limits,
                                    std::uint64_t large);

/// The model of the file without the raw data of `spans`, which became external data that
/// `defer_own_weights` knows. The spans are those of the whole file.
result<std::string> without_raw_data(const input_file& file, std::span<const wire_span> spans);

/// The raw data that `without_raw_data` left out, as deferred storage; everything else comes from
/// `others`, which has to live as long.
std::unique_ptr<weight_source> defer_own_weights(std::shared_ptr<const input_file> file,
                                                 weight_source* others);

/// Replaces every call of a function that the model brings along by the function's nodes, so that
/// none is left. Refuses recursion, and functions whose expansion passes the limits.
result<void> inline_functions(onnx::ModelProto& model, const import_limits& limits);

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
