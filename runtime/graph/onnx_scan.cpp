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
          const import_limits& limits)
      : in_(&stream), limits_(limits) {
    in_.SetTotalBytesLimit(static_cast<int>(size));
    in_.PushLimit(static_cast<int>(size));
  }

  result<void> message(const Descriptor* type, int depth) {
    if (depth > limits_.max_nesting)
      return fail(errc::resource_exhausted, "messages nest deeper than {}", limits_.max_nesting);
    while (in_.BytesUntilLimit() > 0) {
      const auto tag = in_.ReadTag();
      if (tag == 0) return bad(depth, "expected a field");
      const auto* field = type == nullptr ? nullptr : type->FindFieldByNumber(int(tag >> 3));
      SHOAL_CHECK(content(field, static_cast<int>(tag & 7), depth));
      if (fields_ > limits_.max_fields)
        return fail(errc::resource_exhausted, "more than {} fields", limits_.max_fields);
    }
    return {};
  }

 private:
  result<void> content(const FieldDescriptor* field, int wire, int depth) {
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
    if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE) {
      // Packed integers grow up to eightfold when they are unpacked, the rest keeps its size.
      if (field != nullptr && is_integer(*field)) fields_ += length / 16;
      return skip(length, field, depth);
    }
    SHOAL_CHECK(fits(length, field, depth));
    fields_ += 3; // a message takes some hundred bytes where a number takes eight
    const auto outer = in_.PushLimit(static_cast<int>(length));
    SHOAL_CHECK(message(field->message_type(), depth + 1));
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
  std::uint64_t fields_ = 0;
};

} // namespace

result<void> scan(google::protobuf::io::ZeroCopyInputStream& stream, std::uint64_t size,
                  const import_limits& limits) {
  return scanner(stream, size, limits).message(onnx::ModelProto::descriptor(), 0);
}

} // namespace shoal::onnx_reader
