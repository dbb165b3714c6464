#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <onnx/defs/schema.h>

namespace shoal::onnx_reader {
namespace {

std::uint64_t size_without_tensor(const onnx::AttributeProto& a) {
  std::uint64_t bytes = a.s().size() + std::uint64_t(a.ints_size()) * sizeof(std::int64_t) +
                        std::uint64_t(a.floats_size()) * sizeof(float);
  for (const auto& text : a.strings()) bytes += sizeof(std::string) + text.size();
  return bytes;
}

result<attribute> read_attribute(onnx::AttributeProto& a, constant_reader& constants) {
  if (!a.ref_attr_name().empty())
    return fail(errc::unsupported, "it refers to the attribute '{}' of a function",
                a.ref_attr_name());
  const auto cap = constants.options.limits.max_attribute_bytes;
  if (const auto size = size_without_tensor(a); size > cap)
    return fail(errc::resource_exhausted, "{} bytes, at most {} are accepted", size, cap);
  switch (a.type()) {
  case onnx::AttributeProto::FLOAT:
    return attribute(a.f());
  case onnx::AttributeProto::INT:
    return attribute(std::int64_t{a.i()});
  case onnx::AttributeProto::STRING:
    return attribute(a.s());
  case onnx::AttributeProto::FLOATS:
    return attribute(std::vector<float>(a.floats().begin(), a.floats().end()));
  case onnx::AttributeProto::INTS:
    return attribute(std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
  case onnx::AttributeProto::STRINGS:
    return attribute(std::vector<std::string>(a.strings().begin(), a.strings().end()));
  case onnx::AttributeProto::TENSOR: {
    SHOAL_TRY(auto value, constants.read(*a.mutable_t()));
    return attribute(std::move(value));
  }
  default:
    return fail(errc::unsupported, "attributes of kind {} are not supported",
                onnx::AttributeProto::AttributeType_Name(a.type()));
  }
}

} // namespace

result<attributes> read_attributes(onnx::NodeProto& proto, constant_reader& constants) {
  attributes all;
  for (auto& a : *proto.mutable_attribute()) {
    SHOAL_CHECK(check_name(a.name(), "an attribute", constants.options.limits));
    if (a.type() == onnx::AttributeProto::GRAPH) continue;
    const auto where = [&] { return fmt::format("attribute '{}'", a.name()); };
    if (all.contains(a.name())) return fail(errc::malformed, "{} appears twice", where());
    auto value = read_attribute(a, constants);
    if (!value) return std::move(value).error().within(where());
    all.set(a.name(), *std::move(value));
  }
  return all;
}

result<void> check_schema(const onnx::NodeProto& proto, std::string_view node_name, int opset) {
  const std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  // The library may be older than the model: what it knows of an operator could then be outdated.
  const auto& known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto range = known.find(domain);
  if (range == known.end() || opset > range->second.second) return {};
  try {
    const auto* schema = onnx::OpSchemaRegistry::Schema(proto.op_type(), opset, domain);
    if (schema != nullptr) schema->Verify(proto);
  } catch (const std::exception& broken) {
    return fail(errc::malformed, "{} '{}' (opset {}): {}", proto.op_type(), node_name, opset,
                broken.what());
  }
  return {};
}

} // namespace shoal::onnx_reader
