#include "runtime/net/tcp_stream.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace shoal {
namespace {

constexpr std::size_t max_spans = 64;

/// Refers to an array that outlives the operation, so that Asio copies two pointers, not the array.
template <class Buffer>
struct buffer_range {
  using value_type = Buffer;
  using const_iterator = const Buffer*;

  const Buffer* first;
  const Buffer* last;
  const Buffer* begin() const { return first; }
  const Buffer* end() const { return last; }
};

template <class Buffer, class Span>
buffer_range<Buffer> convert(std::span<const Span> spans, std::array<Buffer, max_spans>& buffers) {
  assert(!spans.empty());
  const std::size_t count = std::min(spans.size(), max_spans);
  for (std::size_t i = 0; i < count; ++i) buffers[i] = Buffer(spans[i].data(), spans[i].size());
  return {buffers.data(), buffers.data() + count};
}

class tcp_stream final : public byte_stream {
 public:
  explicit tcp_stream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    std::error_code ignored; // slower without, but it works
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto endpoint = socket_.remote_endpoint(ignored);
    remote_ = to_string(endpoint);
  }

  void read_some(std::span<const mutable_byte_span> into,
                 const std::shared_ptr<stream_user>& user) override {
    socket_.async_read_some(convert(into, read_buffers_),
                            [user](const std::error_code& failure, std::size_t count) {
                              user->on_read(failure, count);
                            });
  }

  void write_some(std::span<const byte_span> from,
                  const std::shared_ptr<stream_user>& user) override {
    socket_.async_write_some(convert(from, write_buffers_),
                             [user](const std::error_code& failure, std::size_t count) {
                               user->on_written(failure, count);
                             });
  }

  void close() override {
    std::error_code ignored; // there is nothing to do about it
    socket_.close(ignored);
  }

  std::string remote() const override { return remote_; }

 private:
  asio::ip::tcp::socket socket_;
  std::string remote_;
  std::array<asio::mutable_buffer, max_spans> read_buffers_;
  std::array<asio::const_buffer, max_spans> write_buffers_;
};

} // namespace

bool is_hang_up(const std::error_code& failure) {
  return failure == asio::error::eof || failure == asio::error::connection_reset;
}

std::string reason_of(const std::error_code& failure) {
  return is_hang_up(failure) ? "the peer closed it" : failure.message();
}

std::string to_string(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port())
                                    : fmt::format("{}:{}", address, endpoint.port());
}

std::unique_ptr<byte_stream> make_tcp_stream(asio::ip::tcp::socket socket) {
  return std::make_unique<tcp_stream>(std::move(socket));
}

} // namespace shoal
