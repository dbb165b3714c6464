#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/file.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// Bytes from front to back, piece by piece, for decoders that need not hold all of them.
class byte_feed {
 public:
  byte_feed() = default;
  byte_feed(const byte_feed&) = delete;
  byte_feed& operator=(const byte_feed&) = delete;
  virtual ~byte_feed() = default;
  /// The next piece, valid until the next call; empty at the end.
  virtual result<byte_span> next() = 0;
  /// Of all pieces together.
  virtual std::uint64_t size() const = 0;
};

/// Bytes in memory, which have to outlive the feed.
class memory_feed final : public byte_feed {
 public:
  explicit memory_feed(byte_span bytes) : bytes_(bytes), rest_(bytes) {}
  result<byte_span> next() override { return std::exchange(rest_, {}); }
  std::uint64_t size() const override { return bytes_.size(); }

 private:
  byte_span bytes_;
  byte_span rest_;
};

/// A file, of which a small piece is in memory. The size is that at `open`.
class file_feed final : public byte_feed {
 public:
  explicit file_feed(input_file file) : file_(std::move(file)) {}
  result<byte_span> next() override;
  std::uint64_t size() const override { return file_.size(); }

 private:
  input_file file_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> piece_;
};

} // namespace shoal
