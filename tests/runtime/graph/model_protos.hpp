#pragma once

#include "runtime/graph/onnx_import.hpp"

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// Small models in ONNX's own classes, for tests that break them.
namespace shoal::test {

inline void declare(onnx::ValueInfoProto& info, std::string_view name,
                    std::initializer_list<std::int64_t> dims,
                    std::int32_t type = onnx::TensorProto::FLOAT) {
  info.set_name(std::string(name));
  auto* tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (const auto d : dims) tensor->mutable_shape()->add_dim()->set_dim_value(d);
}

inline onnx::NodeProto& add_node(onnx::ModelProto& model, std::string_view op,
                                 std::initializer_list<std::string_view> inputs,
                                 std::initializer_list<std::string_view> outputs) {
  auto& node = *model.mutable_graph()->add_node();
  node.set_op_type(std::string(op));
  for (const auto name : inputs) node.add_input(std::string(name));
  for (const auto name : outputs) node.add_output(std::string(name));
  return node;
}

inline onnx::TensorProto& add_initializer(onnx::ModelProto& model, std::string_view name,
                                          std::initializer_list<std::int64_t> dims,
                                          const std::vector<float>& values) {
  auto& t = *model.mutable_graph()->add_initializer();
  t.set_name(std::string(name));
  t.set_data_type(onnx::TensorProto::FLOAT);
  for (const auto d : dims) t.add_dims(d);
  t.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
  return t;
}

inline void add_external(onnx::TensorProto& t, std::string_view key, std::string_view value) {
  auto& entry = *t.add_external_data();
  entry.set_key(std::string(key));
  entry.set_value(std::string(value));
}

/// A model of the given opset without nodes, whose graph has the input x and the output y.
inline onnx::ModelProto empty_model(int opset = 17) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("test");
  model.add_opset_import()->set_version(opset);
  model.mutable_graph()->set_name("g");
  declare(*model.mutable_graph()->add_input(), "x", {2, 3});
  declare(*model.mutable_graph()->add_output(), "y", {2, 3});
  return model;
}

/// y = Relu(x).
inline onnx::ModelProto relu_model(int opset = 17) {
  auto model = empty_model(opset);
  add_node(model, "Relu", {"x"}, {"y"});
  return model;
}

inline result<imported_model> import_proto(const onnx::ModelProto& model,
                                           const import_options& options = {}) {
  return import_onnx_bytes(bytes_of(model.SerializeAsString()), options);
}

/// The error of importing `model`; an empty message if it succeeds.
inline error import_error(const onnx::ModelProto& model, const import_options& options = {}) {
  auto imported = import_proto(model, options);
  return imported ? error(errc::internal, "") : imported.error();
}

} // namespace shoal::test
