#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <onnx/defs/schema.h>

#include <algorithm>

namespace shoal::onnx_reader {
namespace {

std::string domain_of(const onnx::NodeProto& proto) {
  return proto.domain() == "ai.onnx" ? std::string() : proto.domain();
}

/// The newest opset of a domain that the library knows; 0 if none.
int newest_known(const std::string& domain) {
  const auto& known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto range = known.find(domain);
  return range == known.end() ? 0 : range->second.second;
}

} // namespace

result<void> check_schema(const onnx::NodeProto& proto, std::string_view node_name, int opset) {
  const auto domain = domain_of(proto);
  // The library may be older than the model: what it knows of an operator could then be outdated.
  if (opset > newest_known(domain)) return {};
  try {
    const auto* schema = onnx::OpSchemaRegistry::Schema(proto.op_type(), opset, domain);
    if (schema != nullptr) schema->Verify(proto);
  } catch (const std::exception& broken) {
    return fail(errc::malformed, "{} '{}' (opset {}): {}", proto.op_type(), node_name, opset,
                broken.what());
  }
  return {};
}

int required_outputs(const onnx::NodeProto& proto, int opset) {
  const auto domain = domain_of(proto);
  const auto* schema = onnx::OpSchemaRegistry::Schema(
      proto.op_type(), std::min(opset, newest_known(domain)), domain);
  if (schema == nullptr) return proto.output_size();
  const auto& outputs = schema->outputs();
  int required = 0;
  for (const auto& output : outputs) {
    if (output.GetOption() == onnx::OpSchema::Variadic) return proto.output_size();
    if (output.GetOption() == onnx::OpSchema::Optional) break;
    ++required;
  }
  return required;
}

} // namespace shoal::onnx_reader
