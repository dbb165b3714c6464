#include "runtime/net/frame.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/crc32c.hpp"
#include "runtime/net/wire.hpp"

#include <array>

namespace shoal {
namespace {

struct size_rule {
  bool stream; ///< needs a stream; otherwise it is zero
  std::size_t min_payload;
  std::size_t max_payload;
  std::size_t max_body;
  bool offset; ///< may have one
};

constexpr std::array<size_rule, 8> rules = {{
    {false, 0, 0, 0, false},                              // no such type
    {true, 16, max_open_payload, max_inline_body, false}, // open
    {true, 1, max_data_payload, max_data_payload, true},  // data
    {false, 0, 0, 0, true},                               // credit
    {true, 4, max_reject_payload, 0, false},              // reject
    {true, 0, 0, 0, false},                               // abort
    {false, 0, 0, 0, false},                              // ping
    {false, 0, 0, 0, false},                              // pong
}};

result<void> check_sizes(const frame_header& header) {
  const auto type = static_cast<std::size_t>(header.type);
  const auto& rule = rules[type];
  const bool encoded = header.encoding != fragment_encoding::raw;
  if (header.payload_bytes < rule.min_payload || header.payload_bytes > rule.max_payload ||
      header.body_bytes > rule.max_body)
    return fail(
        errc::malformed,
        "frame too large: type {} allows {} to {} bytes of payload and {} of body, got {} and {}",
        type, rule.min_payload, rule.max_payload, rule.max_body, header.payload_bytes,
        header.body_bytes);
  if (rule.stream != (header.stream != 0) || (!rule.offset && header.offset != 0) ||
      (encoded && header.type != frame_type::data))
    return fail(errc::malformed, "frame of type {} with stream {}, offset {}, encoding {}", type,
                header.stream, header.offset, static_cast<int>(header.encoding));
  if (header.type != frame_type::data) return {};
  const bool sound = encoded ? header.payload_bytes < header.body_bytes
                             : header.payload_bytes == header.body_bytes;
  if (!sound)
    return fail(errc::malformed, "a fragment of {} bytes cannot come as {} bytes of encoding {}",
                header.body_bytes, header.payload_bytes, static_cast<int>(header.encoding));
  return {};
}

result<tensor_entry> decode_entry(wire_reader& reader) {
  tensor_entry entry;
  const auto type = reader.take<std::uint8_t>();
  const auto rank = reader.take<std::uint8_t>();
  const auto encoding = reader.take<std::uint8_t>();
  const auto format = reader.take<std::uint8_t>();
  if (type >= dtype_count || rank > shape::max_rank || encoding > 1 ||
      format > static_cast<std::uint8_t>(layout::blocked_16))
    return fail(errc::malformed, "tensor with type {}, rank {}, encoding {}, layout {}", type, rank,
                encoding, format);
  entry.type.type = static_cast<dtype>(type);
  entry.encoding = static_cast<tensor_encoding>(encoding);
  if (entry.encoding == tensor_encoding::fp16 && entry.type.type != dtype::f32)
    return fail(errc::malformed, "a tensor of {} cannot be encoded as fp16",
                to_string(entry.type.type));
  for (int axis = 0; axis < rank; ++axis)
    entry.type.dims.push_back(static_cast<std::int64_t>(reader.take<std::uint64_t>()));
  SHOAL_CHECK(checked_element_count(entry.type.dims.span()));
  entry.format = static_cast<layout>(format);
  SHOAL_CHECK(check_layout(entry.type, entry.format));
  return entry;
}

} // namespace

void encode(const frame_header& header, std::byte* out) {
  store_little(out, frame_magic);
  out[2] = static_cast<std::byte>(header.type);
  out[3] = static_cast<std::byte>(header.encoding);
  store_little(out + 4, header.payload_bytes);
  store_little(out + 8, header.stream);
  store_little(out + 12, header.body_bytes);
  store_little(out + 16, header.offset);
  store_little(out + 24, header.payload_crc);
  store_little(out + 28, crc32c({out, 28}));
}

result<frame_header> decode_frame_header(byte_span bytes) {
  if (bytes.size() != frame_header_bytes)
    return fail(errc::malformed, "expected a frame header of {} bytes, got {}", frame_header_bytes,
                bytes.size());
  const auto* in = bytes.data();
  if (const auto magic = load_little<std::uint16_t>(in); magic != frame_magic)
    return fail(errc::malformed, "not a frame: expected magic {:#06x}, got {:#06x}", frame_magic,
                magic);
  if (load_little<std::uint32_t>(in + 28) != crc32c(bytes.first(28)))
    return fail(errc::malformed, "checksum of a frame header does not match");
  const auto type = std::to_integer<unsigned>(in[2]);
  const auto encoding = std::to_integer<unsigned>(in[3]);
  if (type == 0 || type >= rules.size() || encoding > 1)
    return fail(errc::malformed, "unknown frame type {} or encoding {}", type, encoding);
  frame_header header;
  header.type = static_cast<frame_type>(type);
  header.encoding = static_cast<fragment_encoding>(encoding);
  header.payload_bytes = load_little<std::uint32_t>(in + 4);
  header.stream = load_little<std::uint32_t>(in + 8);
  header.body_bytes = load_little<std::uint32_t>(in + 12);
  header.offset = load_little<std::uint64_t>(in + 16);
  header.payload_crc = load_little<std::uint32_t>(in + 24);
  SHOAL_CHECK(check_sizes(header));
  return header;
}

std::uint64_t tensor_entry::memory_bytes() const {
  return static_cast<std::uint64_t>(type.dims.element_count()) * size_of(type.type);
}

std::uint64_t tensor_entry::body_bytes() const {
  return encoding == tensor_encoding::fp16 ? memory_bytes() / 2 : memory_bytes();
}

std::size_t encoded_bytes(const open_frame& frame) {
  std::size_t size = 16 + frame.metadata.size();
  for (const auto& entry : frame.tensors)
    size += 4 + 8 * static_cast<std::size_t>(entry.type.dims.rank());
  return size;
}

void encode(const open_frame& frame, mutable_byte_span out) {
  wire_writer writer(out);
  writer.put(frame.kind);
  writer.put(static_cast<std::uint8_t>(frame.priority));
  writer.put(static_cast<std::uint8_t>(frame.tensors.size()));
  writer.put(static_cast<std::uint32_t>(frame.metadata.size()));
  writer.put(frame.body_bytes);
  for (const auto& entry : frame.tensors) {
    writer.put(static_cast<std::uint8_t>(entry.type.type));
    writer.put(static_cast<std::uint8_t>(entry.type.dims.rank()));
    writer.put(static_cast<std::uint8_t>(entry.encoding));
    writer.put(static_cast<std::uint8_t>(entry.format));
    for (const auto extent : entry.type.dims) writer.put(static_cast<std::uint64_t>(extent));
  }
  writer.put_bytes(frame.metadata);
}

result<open_frame> decode_open_frame(byte_span payload) {
  wire_reader reader(payload);
  open_frame frame;
  frame.kind = reader.take<std::uint16_t>();
  const auto priority = reader.take<std::uint8_t>();
  const std::size_t tensors = reader.take<std::uint8_t>();
  const std::size_t metadata = reader.take<std::uint32_t>();
  frame.body_bytes = reader.take<std::uint64_t>();
  if (priority >= message_priority_count || tensors > message::max_tensors ||
      metadata > message::max_metadata_bytes)
    return fail(errc::malformed, "message with priority {}, {} tensors, {} bytes of metadata",
                priority, tensors, metadata);
  frame.priority = static_cast<message_priority>(priority);
  frame.tensors.reserve(tensors);
  std::uint64_t total = 0; // 64 tensors of at most 2^46 bytes: no overflow
  for (std::size_t i = 0; i < tensors; ++i) {
    SHOAL_TRY(auto entry, decode_entry(reader));
    total += entry.body_bytes();
    frame.tensors.push_back(entry);
  }
  frame.metadata = reader.take_bytes(metadata);
  frame.inline_body = reader.rest();
  if (!reader.ok())
    return fail(errc::malformed, "an open frame of {} bytes ends early", payload.size());
  if (total != frame.body_bytes)
    return fail(errc::malformed, "a message of {} bytes has tensors of {} bytes", frame.body_bytes,
                total);
  if (!frame.inline_body.empty() && frame.inline_body.size() != frame.body_bytes)
    return fail(errc::malformed, "an open frame holds {} of {} bytes: expected all or none",
                frame.inline_body.size(), frame.body_bytes);
  return frame;
}

std::vector<std::byte> encode(const reject_frame& frame) {
  std::vector<std::byte> payload(max_reject_payload);
  wire_writer writer(payload);
  writer.put(static_cast<std::uint8_t>(frame.code));
  writer.put(frame.kind);
  writer.put_text(frame.text);
  payload.resize(writer.size());
  return payload;
}

result<reject_frame> decode_reject_frame(byte_span payload) {
  wire_reader reader(payload);
  reject_frame frame;
  const auto code = reader.take<std::uint8_t>();
  frame.kind = reader.take<std::uint16_t>();
  frame.text = reader.take_text();
  if (!reader.complete() || code > static_cast<std::uint8_t>(last_errc))
    return fail(errc::malformed, "a reject frame of {} bytes with code {}", payload.size(), code);
  frame.code = static_cast<errc>(code);
  return frame;
}

} // namespace shoal
