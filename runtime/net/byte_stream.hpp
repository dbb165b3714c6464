#pragma once

#include "runtime/base/bytes.hpp"

#include <memory>
#include <span>
#include <string>
#include <system_error>

namespace shoal {

/// Whether an error of a stream means that the other end has closed it, or its process has ended.
bool is_hang_up(const std::error_code& failure);
/// Why a connection ended, as in "the peer closed it".
std::string reason_of(const std::error_code& failure);

/// Told when an operation on a `byte_stream` has ended. Never called from within the call that
/// started the operation.
class stream_user {
 public:
  virtual ~stream_user() = default;
  virtual void on_read(const std::error_code& failure, std::size_t count) = 0;
  virtual void on_written(const std::error_code& failure, std::size_t count) = 0;
};

/// A reliable stream of bytes between two processes, encrypted or not. At most one read and one
/// write at a time; the user is kept alive until they have ended. Belongs to the link's thread.
class byte_stream {
 public:
  virtual ~byte_stream() = default;

  /// Reads at least one byte. What the spans refer to stays valid until `on_read`. At most 64
  /// spans.
  virtual void read_some(std::span<const mutable_byte_span> into,
                         const std::shared_ptr<stream_user>& user) = 0;
  virtual void write_some(std::span<const byte_span> from,
                          const std::shared_ptr<stream_user>& user) = 0;
  /// Operations under way end with an error.
  virtual void close() = 0;
  /// The other end, as in "10.0.0.7:51234".
  virtual std::string remote() const = 0;
};

} // namespace shoal
