#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace shoal {

/// What kind of failure an error is; decides whether a retry can help. Part of the wire format:
/// append, never renumber.
enum class errc : std::uint8_t {
  invalid_argument = 0,   ///< the caller's input is wrong: name, type, rank, shape, option
  malformed = 1,          ///< bytes that break the rules of their format
  unsupported = 2,        ///< well formed, but Shoal does not do it
  not_found = 3,          ///< a file, model, node or value that does not exist
  resource_exhausted = 4, ///< memory, queue, disk, descriptors or a cap; retry later
  deadline_exceeded = 5,  ///< the time given was not enough
  unavailable = 6,        ///< the peer cannot be reached or went away; a retry may help
  cancelled = 7,          ///< the caller withdrew the request
  stale = 8,              ///< belongs to an older plan epoch, model or term
  poisoned = 9,           ///< the task cost too many executors their life
  version_mismatch = 10,  ///< the peer speaks another version
  io = 11,                ///< the operating system refused: disk, permission
  internal = 12,          ///< our own mistake
  needs_values = 13       ///< a shape depends on values that are known only while running
};

/// Greater numbers that come from elsewhere are unknown here.
inline constexpr errc last_errc = errc::needs_values;

std::string_view to_string(errc code);

/// A failure: its kind, and a message that says what was expected and what came.
class error {
 public:
  error(errc code, std::string message) : code_(code), message_(std::move(message)) {}

  errc code() const { return code_; }
  const std::string& message() const { return message_; }
  /// The same failure seen from further out: "where: message".
  error within(std::string_view where) const&;
  error within(std::string_view where) &&;

  friend bool operator==(const error&, const error&) = default;

 private:
  errc code_;
  std::string message_;
};

/// As in "unsupported: operator Foo …".
std::string to_string(const error& failure);

} // namespace shoal
