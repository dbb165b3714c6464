// Feeds arbitrary bytes to the receiving half of a connection, in pieces of arbitrary size. Since
// no fuzzer guesses a checksum, the target first repairs those of whatever parses as a frame
// otherwise: what is behind the checksums is what has to hold.

#include "runtime/net/crc32c.hpp"
#include "runtime/net/discovery.hpp"
#include "runtime/net/frame_receiver.hpp"
#include "runtime/net/hello.hpp"
#include "runtime/net/wire.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace shoal;

namespace {

constexpr std::uint64_t memory_limit = 8 << 20;

receive_limits small_limits() {
  receive_limits limits;
  limits.window_bytes = 1 << 20;
  limits.max_message_bytes = limits.max_tensor_bytes = 1 << 20;
  limits.max_partial_bytes = 4 << 20;
  limits.max_partial_messages = 8;
  limits.max_fragment_bytes = 64 << 10;
  return limits;
}

/// Reads every byte of what is handed on, so that a sanitizer sees what was not written.
struct toucher final : frame_events {
  unsigned sum = 0;

  void on_message(message&& content) override {
    if (!validate(content) || payload_bytes(content) > memory_limit) std::abort();
    for (const auto byte : content.metadata) sum += std::to_integer<unsigned>(byte);
    for (const auto& part : content.tensors)
      for (const auto byte : part.bytes()) sum += std::to_integer<unsigned>(byte);
  }
  void on_grant(std::uint64_t) override {}
  void on_refused(std::uint32_t, std::uint16_t, const error&) override {}
  void on_credit(std::uint64_t) override {}
  void on_rejected(std::uint32_t, std::uint16_t, const error&) override {}
  void on_ping() override {}
};

void repair_checksums(std::vector<std::byte>& wire) {
  for (std::size_t at = 0; wire.size() - at >= frame_header_bytes;) {
    auto* header = wire.data() + at;
    store_little(header, frame_magic);
    const std::size_t payload = std::min<std::size_t>(
        load_little<std::uint32_t>(header + 4) % (80 << 10), wire.size() - at - frame_header_bytes);
    store_little(header + 4, static_cast<std::uint32_t>(payload));
    store_little(header + 24, crc32c({header + frame_header_bytes, payload}));
    store_little(header + 28, crc32c({header, 28}));
    at += frame_header_bytes + payload;
  }
}

void feed(byte_span wire, std::size_t most) {
  toucher events;
  // Refuses every large tensor of an odd size, so that the paths of refused messages are met, too.
  const auto allocate = [](std::size_t size) {
    return size > 1000 && size % 2 == 1 ? storage_ptr() : allocate_storage(size);
  };
  frame_receiver receiver(small_limits(), allocate, events);
  while (!wire.empty()) {
    std::size_t count = 0;
    for (const auto& room : receiver.buffers()) {
      const auto size = std::min({room.size(), wire.size() - count, most - count});
      if (size > 0) std::memcpy(room.data(), wire.data() + count, size);
      count += size;
    }
    if (count == 0) std::abort(); // it must always take something
    wire = wire.subspan(count);
    if (!receiver.commit(count)) return;
    if (receiver.partial_bytes() > memory_limit) std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const std::size_t most = 1 + std::size_t{data[0]} * 37;
  const byte_span rest(bytes + 2, size - 2);
  (void)decode_hello(rest);
  (void)decode_discovery_datagram(rest);
  std::vector<std::byte> wire(rest.begin(), rest.end());
  if (data[1] % 8 != 0) repair_checksums(wire);
  feed(wire, most);
  return 0;
}
