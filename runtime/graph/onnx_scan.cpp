#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

namespace shoal::onnx_reader {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

enum wire_type { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

bool is_integer(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT32:
  case FieldDescriptor::CPPTYPE_INT64:
  case FieldDescriptor::CPPTYPE_UINT32:
  case FieldDescriptor::CPPTYPE_UINT64:
  case FieldDescriptor::CPPTYPE_BOOL:
  case FieldDescriptor::CPPTYPE_ENUM:
    return true;
  default:
    return false;
  }
}

class scanner {
 public:
  scanner(google::protobuf::io::ZeroCopyInputStream& stream, std::uint64_t size,
          const import_limits& limits, std::uint64_t large)
      : in_(&stream), limits_(limits), large_(large) {
    in_.SetTotalBytesLimit(static_cast<int>(size));
    in_.PushLimit(static_cast<int>(size));
  }

  result<void> message(const Descriptor* type, int depth, std::vector<wire_span>& found) {
    if (depth > limits_.max_nesting)
      return fail(errc::resource_exhausted, "messages nest deeper than {}", limits_.max_nesting);
    while (in_.BytesUntilLimit() > 0) {
      wire_span span;
      span.start = position();
      span.tag = in_.ReadTag();
      if (span.tag == 0) return bad(depth, "expected a field");
      const auto* field = type == nullptr ? nullptr : type->FindFieldByNumber(int(span.tag >> 3));
      SHOAL_CHECK(content(field, static_cast<int>(span.tag & 7), depth, span));
      if (!span.inner.empty() || is_large_data(field, span)) found.push_back(std::move(span));
      if (fields_ > limits_.max_fields)
        return fail(errc::resource_exhausted, "more than {} fields", limits_.max_fields);
    }
    return {};
  }

 private:
  std::uint64_t position() const { return static_cast<std::uint64_t>(in_.CurrentPosition()); }

  bool is_large_data(const FieldDescriptor* field, const wire_span& span) const {
    return field == raw_data_ && field != nullptr && span.end - span.begin >= large_;
  }

  result<void> content(const FieldDescriptor* field, int wire, int depth, wire_span& span) {
    fields_ += 1;
    std::uint64_t number = 0;
    switch (wire) {
    case varint:
      return in_.ReadVarint64(&number) ? result<void>() : bad(depth, "a number does not end");
    case fixed64:
      return skip(8, field, depth);
    case fixed32:
      return skip(4, field, depth);
    case delimited:
      break;
    default:
      return bad(depth, fmt::format("wire type {} is not used by ONNX", wire));
    }
    std::uint64_t length = 0;
    if (!in_.ReadVarint64(&length)) return bad(depth, "a length does not end");
    span.begin = position();
    span.end = span.begin + length;
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) {
      // Packed integers grow up to eightfold when they are unpacked, the rest keeps its size.
      if (field != nullptr && is_integer(*field)) fields_ += length / 16;
      return skip(length, field, depth);
    }
    SHOAL_CHECK(fits(length, field, depth));
    fields_ += 3; // a message takes some hundred bytes where a number takes eight
    const auto outer = in_.PushLimit(static_cast<int>(length));
    SHOAL_CHECK(message(field->message_type(), depth + 1, span.inner));
    in_.PopLimit(outer);
    return {};
  }

  result<void> fits(std::uint64_t length, const FieldDescriptor* field, int depth) {
    const auto left = static_cast<std::uint64_t>(in_.BytesUntilLimit());
    if (length <= left) return {};
    if (depth == 0 && field != nullptr)
      return fail(errc::malformed, "the file is truncated: its {} takes {} bytes, {} are left",
                  field->name(), length, left);
    return bad(depth, fmt::format("{} takes {} bytes, {} are left",
                                  field == nullptr ? "a field" : field->full_name(), length, left));
  }

  result<void> skip(std::uint64_t length, const FieldDescriptor* field, int depth) {
    SHOAL_CHECK(fits(length, field, depth));
    if (!in_.Skip(static_cast<int>(length))) return bad(depth, "the bytes end early");
    return {};
  }

  error bad(int depth, std::string_view what) {
    const std::string_view whole = depth == 0 ? "this is not an ONNX model" : "broken ONNX model";
    return fail(errc::malformed, "{}: byte {}: {}", whole, in_.CurrentPosition(), what);
  }

  google::protobuf::io::CodedInputStream in_;
  const import_limits& limits_;
  std::uint64_t large_;
  const FieldDescriptor* raw_data_ =
      onnx::TensorProto::descriptor()->FindFieldByNumber(onnx::TensorProto::kRawDataFieldNumber);
  std::uint64_t fields_ = 0;
};

} // namespace

result<std::vector<wire_span>> scan(google::protobuf::io::ZeroCopyInputStream& stream,
                                    std::uint64_t size, const import_limits& limits,
                                    std::uint64_t large) {
  std::vector<wire_span> found;
  SHOAL_CHECK(
      scanner(stream, size, limits, large).message(onnx::ModelProto::descriptor(), 0, found));
  return found;
}

} // namespace shoal::onnx_reader
