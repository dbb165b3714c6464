#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shoal {

/// How the nodes of a LAN find their head without being told where it is: they ask by multicast,
/// and every head of that cluster answers. Nothing here is authenticated: who answers must still
/// show that it knows the cluster token.
struct discovery_options {
  std::string cluster;                 ///< only heads of this name answer; ≤ 255 bytes
  std::string group = "239.255.77.77"; ///< an IPv4 multicast address
  std::uint16_t port = 47770;
  std::string interface_address =
      "0.0.0.0"; ///< of the interface to use; "0.0.0.0": the default one
};

/// Where a head waits for nodes.
struct head_announcement {
  incarnation id;
  std::string host; ///< ≤ 255 bytes
  std::uint16_t port = 0;
  std::string version;        ///< of its software, to name it when the protocols differ
  std::uint16_t protocol = 0; ///< filled in by whoever announces

  friend bool operator==(const head_announcement&, const head_announcement&) = default;
};

/// Answers queries on a thread of its own for as long as it lives.
class discovery_responder {
 public:
  /// The error says why the group cannot be joined.
  static result<std::unique_ptr<discovery_responder>> open(const discovery_options& options,
                                                           const head_announcement& head);
  ~discovery_responder();

 private:
  struct state;
  explicit discovery_responder(std::unique_ptr<state> running);
  std::unique_ptr<state> state_;
};

/// Asks every `retry` until `timeout` is over or `enough` heads have answered, and returns those,
/// ordered by id; heads of other protocol versions included. An error only if nothing can be sent.
result<std::vector<head_announcement>>
discover(const discovery_options& options, std::chrono::milliseconds timeout,
         std::size_t enough = 64, std::chrono::milliseconds retry = std::chrono::milliseconds(250));

/// The datagrams: 8 bytes "SHOALFND", u8 type (1 query, 2 answer), u64 nonce of the asker, u16
/// protocol version, text cluster; in an answer also u64×2 incarnation, text host, u16 port, text
/// software version; u32 CRC-32C of all that. A query is padded with zeros after its checksum, so
/// that no answer is larger than what asked for it.
struct discovery_datagram {
  std::uint64_t nonce = 0;
  std::string cluster;
  std::uint16_t protocol = 0;
  std::optional<head_announcement> head; ///< in an answer
};

inline constexpr std::size_t max_discovery_bytes = 1024;

std::vector<std::byte> encode(const discovery_datagram& datagram);
result<discovery_datagram> decode_discovery_datagram(byte_span bytes);

} // namespace shoal
