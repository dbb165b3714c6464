#include "runtime/net/hello.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/crc32c.hpp"
#include "runtime/net/frame.hpp"
#include "runtime/net/wire.hpp"

namespace shoal {
namespace {

constexpr std::string_view magic = "SHOALNET";

} // namespace

std::string software_version() {
  return "shoal 0.1.0";
}

result<void> validate(const receive_limits& limits) {
  if (limits.max_fragment_bytes < 4096 || limits.max_fragment_bytes > max_data_payload)
    return fail(errc::invalid_argument, "expected fragments of 4096 to {} bytes, got {}",
                max_data_payload, limits.max_fragment_bytes);
  if (limits.window_bytes < 16384)
    return fail(errc::invalid_argument, "expected a window of at least 16384 bytes, got {}",
                limits.window_bytes);
  if (limits.max_partial_messages < 4 || limits.max_partial_messages > 1024)
    return fail(errc::invalid_argument, "expected 4 to 1024 partial messages, got {}",
                limits.max_partial_messages);
  if (limits.max_partial_bytes < limits.max_message_bytes)
    return fail(errc::invalid_argument, "partial messages of {} bytes leave no room for one of {}",
                limits.max_partial_bytes, limits.max_message_bytes);
  return {};
}

std::vector<std::byte> encode(const hello& greeting) {
  std::vector<std::byte> bytes(max_hello_bytes);
  wire_writer writer(bytes);
  writer.put_bytes(bytes_of(magic));
  writer.put(greeting.protocol);
  writer.put(std::uint16_t{0}); // the length, below
  writer.put_text(greeting.software);
  writer.put(static_cast<std::uint8_t>(greeting.status));
  for (const auto& id : {greeting.id, greeting.expected}) {
    writer.put(id.high);
    writer.put(id.low);
  }
  writer.put_text(greeting.token);
  writer.put(greeting.limits.window_bytes);
  writer.put(greeting.limits.max_message_bytes);
  writer.put(greeting.limits.max_tensor_bytes);
  writer.put(greeting.limits.max_partial_bytes);
  writer.put(greeting.limits.max_partial_messages);
  writer.put(greeting.limits.max_fragment_bytes);
  store_little(bytes.data() + 10,
               static_cast<std::uint16_t>(writer.size() + 4 - hello_prefix_bytes));
  writer.put(crc32c(byte_span(bytes).first(writer.size())));
  bytes.resize(writer.size());
  return bytes;
}

result<std::size_t> decode_hello_prefix(byte_span prefix) {
  if (prefix.size() != hello_prefix_bytes || text_of(prefix.first(8)) != magic)
    return fail(errc::malformed, "the peer does not speak Shoal's protocol");
  const std::size_t rest = load_little<std::uint16_t>(prefix.data() + 10);
  if (rest > max_hello_bytes - hello_prefix_bytes)
    return fail(errc::malformed, "a hello of {} bytes, expected at most {}",
                rest + hello_prefix_bytes, max_hello_bytes);
  return rest;
}

result<hello> decode_hello(byte_span bytes) {
  if (bytes.size() < hello_prefix_bytes)
    return fail(errc::malformed, "a hello of {} bytes", bytes.size());
  SHOAL_TRY(const auto rest, decode_hello_prefix(bytes.first(hello_prefix_bytes)));
  if (rest != bytes.size() - hello_prefix_bytes)
    return fail(errc::malformed, "a hello of {} bytes, expected {}", bytes.size(),
                rest + hello_prefix_bytes);
  wire_reader reader(bytes.subspan(8));
  hello greeting;
  greeting.protocol = reader.take<std::uint16_t>();
  reader.take<std::uint16_t>();
  greeting.software = reader.take_text();
  if (greeting.protocol != link_protocol_version)
    return fail(errc::version_mismatch, "the peer runs {} (protocol {}), this is {} (protocol {})",
                greeting.software, greeting.protocol, software_version(), link_protocol_version);
  const auto status = reader.take<std::uint8_t>();
  for (auto* id : {&greeting.id, &greeting.expected}) {
    id->high = reader.take<std::uint64_t>();
    id->low = reader.take<std::uint64_t>();
  }
  greeting.token = reader.take_text();
  greeting.limits.window_bytes = reader.take<std::uint64_t>();
  greeting.limits.max_message_bytes = reader.take<std::uint64_t>();
  greeting.limits.max_tensor_bytes = reader.take<std::uint64_t>();
  greeting.limits.max_partial_bytes = reader.take<std::uint64_t>();
  greeting.limits.max_partial_messages = reader.take<std::uint32_t>();
  greeting.limits.max_fragment_bytes = reader.take<std::uint32_t>();
  const auto checksum = reader.take<std::uint32_t>();
  if (!reader.complete() || checksum != crc32c(bytes.first(bytes.size() - 4)))
    return fail(errc::malformed, "a hello of {} bytes with wrong length or checksum", bytes.size());
  if (status > static_cast<std::uint8_t>(hello_status::overloaded))
    return fail(errc::malformed, "a hello with status {}", status);
  greeting.status = static_cast<hello_status>(status);
  if (auto sound = validate(greeting.limits); !sound)
    return fail(errc::malformed, "a hello with unusable limits: {}", sound.error().message());
  return greeting;
}

error refusal(const hello& reply, const incarnation& peer) {
  switch (reply.status) {
  case hello_status::other_version:
    return fail(errc::version_mismatch,
                "the peer runs {} (protocol {}) and refuses {} (protocol {})", reply.software,
                reply.protocol, software_version(), link_protocol_version);
  case hello_status::wrong_peer:
    return fail(errc::stale, "expected incarnation {}, there lives {}", to_string(peer),
                to_string(reply.id));
  case hello_status::wrong_token:
    return fail(errc::unavailable, "the peer belongs to another cluster: wrong token");
  case hello_status::overloaded:
    return fail(errc::unavailable, "the peer has too many connections");
  case hello_status::duplicate:
  case hello_status::welcome:
    break;
  }
  return fail(errc::unavailable, "the peer refuses a second connection");
}

} // namespace shoal
