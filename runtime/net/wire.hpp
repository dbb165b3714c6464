#pragma once

#include "runtime/base/bytes.hpp"

#include <bit>
#include <cassert>
#include <concepts>
#include <cstring>
#include <string_view>

namespace shoal {

/// Unaligned little-endian access; everything Shoal sends is little-endian.
template <std::unsigned_integral T>
T load_little(const std::byte* from) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof value);
  } else {
    for (std::size_t i = sizeof value; i-- > 0;)
      value = static_cast<T>(value << 8 | std::to_integer<T>(from[i]));
  }
  return value;
}

template <std::unsigned_integral T>
void store_little(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &value, sizeof value);
  } else {
    for (std::size_t i = 0; i < sizeof value; ++i)
      to[i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
  }
}

/// Writes into memory that the caller has sized; to overrun it is our own mistake.
class wire_writer {
 public:
  explicit wire_writer(mutable_byte_span out) : out_(out) {}

  template <std::unsigned_integral T>
  void put(T value) {
    assert(sizeof value <= out_.size() - size_);
    store_little(out_.data() + size_, value);
    size_ += sizeof value;
  }
  void put_bytes(byte_span bytes) {
    assert(bytes.size() <= out_.size() - size_);
    if (!bytes.empty()) std::memcpy(out_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  /// A length in one byte, then at most 255 characters; what is longer is cut.
  void put_text(std::string_view text) {
    text = text.substr(0, 255);
    put(static_cast<std::uint8_t>(text.size()));
    put_bytes(bytes_of(text));
  }
  std::size_t size() const { return size_; }

 private:
  mutable_byte_span out_;
  std::size_t size_ = 0;
};

/// Reads bytes from outside. Reading past the end yields zeros and makes `ok()` false from then on,
/// so that a decoder checks once, at its end.
class wire_reader {
 public:
  explicit wire_reader(byte_span in) : in_(in) {}

  template <std::unsigned_integral T>
  T take() {
    const auto bytes = take_bytes(sizeof(T));
    return bytes.empty() ? T{0} : load_little<T>(bytes.data());
  }
  byte_span take_bytes(std::size_t count) {
    if (count > in_.size()) {
      ok_ = false;
      in_ = {};
      return {};
    }
    const auto bytes = in_.first(count);
    in_ = in_.subspan(count);
    return bytes;
  }
  std::string_view take_text() { return text_of(take_bytes(take<std::uint8_t>())); }
  byte_span rest() const { return in_; }
  bool ok() const { return ok_; }
  /// All was there and nothing is left over.
  bool complete() const { return ok_ && in_.empty(); }

 private:
  byte_span in_;
  bool ok_ = true;
};

} // namespace shoal
