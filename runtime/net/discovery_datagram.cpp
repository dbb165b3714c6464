#include "runtime/base/fail.hpp"
#include "runtime/net/crc32c.hpp"
#include "runtime/net/discovery.hpp"
#include "runtime/net/wire.hpp"

namespace shoal {
namespace {

constexpr std::string_view magic = "SHOALFND";
constexpr std::uint8_t query_type = 1;
constexpr std::uint8_t answer_type = 2;

} // namespace

std::vector<std::byte> encode(const discovery_datagram& datagram) {
  std::vector<std::byte> bytes(max_discovery_bytes);
  wire_writer writer(bytes);
  writer.put_bytes(bytes_of(magic));
  writer.put(datagram.head ? answer_type : query_type);
  writer.put(datagram.nonce);
  writer.put(datagram.protocol);
  writer.put_text(datagram.cluster);
  if (datagram.head) {
    writer.put(datagram.head->id.high);
    writer.put(datagram.head->id.low);
    writer.put_text(datagram.head->host);
    writer.put(datagram.head->port);
    writer.put_text(datagram.head->version);
  }
  writer.put(crc32c(byte_span(bytes).first(writer.size())));
  if (datagram.head) bytes.resize(writer.size());
  return bytes;
}

result<discovery_datagram> decode_discovery_datagram(byte_span bytes) {
  wire_reader reader(bytes);
  if (bytes.size() > max_discovery_bytes || text_of(reader.take_bytes(magic.size())) != magic)
    return fail(errc::malformed, "{} bytes that are no discovery datagram", bytes.size());
  const auto type = reader.take<std::uint8_t>();
  discovery_datagram datagram;
  datagram.nonce = reader.take<std::uint64_t>();
  datagram.protocol = reader.take<std::uint16_t>();
  datagram.cluster = reader.take_text();
  if (type == answer_type) {
    auto& head = datagram.head.emplace();
    head.id.high = reader.take<std::uint64_t>();
    head.id.low = reader.take<std::uint64_t>();
    head.host = reader.take_text();
    head.port = reader.take<std::uint16_t>();
    head.version = reader.take_text();
    head.protocol = datagram.protocol;
  }
  const auto covered = bytes.size() - reader.rest().size();
  const auto checksum = reader.take<std::uint32_t>();
  // Only a query is padded, and always to the same size.
  const bool whole = type == answer_type
                         ? reader.complete()
                         : type == query_type && bytes.size() == max_discovery_bytes;
  if (!reader.ok() || !whole || checksum != crc32c(bytes.first(covered)))
    return fail(errc::malformed, "a damaged discovery datagram of {} bytes", bytes.size());
  return datagram;
}

} // namespace shoal
