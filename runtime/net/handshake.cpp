#include "runtime/net/handshake.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

handshake::handshake(std::unique_ptr<byte_stream> stream, outcome done)
    : stream_(std::move(stream)), done_(std::move(done)), remote_(stream_->remote()) {}

void handshake::expect() {
  in_.resize(hello_prefix_bytes);
  in_size_ = 0;
  read();
}

void handshake::greet(const hello& greeting) {
  out_ = encode(greeting);
  out_size_ = 0;
  write();
  expect();
}

void handshake::refuse(const hello& reply) {
  done_ = nullptr;
  out_ = encode(reply);
  out_size_ = 0;
  write();
}

void handshake::cancel() {
  done_ = nullptr;
  if (stream_) stream_->close();
}

void handshake::read() {
  reading_ = mutable_byte_span(in_).subspan(in_size_);
  stream_->read_some({&reading_, 1}, shared_from_this());
}

void handshake::write() {
  writing_ = byte_span(out_).subspan(out_size_);
  stream_->write_some({&writing_, 1}, shared_from_this());
}

void handshake::on_read(const std::error_code& failure, std::size_t count) {
  if (!done_) return;
  if (failure)
    return finish(
        fail(errc::unavailable, "connection lost in the handshake: {}", reason_of(failure)));
  in_size_ += count;
  if (in_size_ < in_.size()) return read();
  if (in_.size() == hello_prefix_bytes) {
    const auto rest = decode_hello_prefix(in_);
    if (!rest) return finish(rest.error());
    if (*rest == 0) return finish(fail(errc::malformed, "an empty hello"));
    in_.resize(in_.size() + *rest);
    return read();
  }
  finish(decode_hello(in_));
}

void handshake::on_written(const std::error_code& failure, std::size_t count) {
  if (failure) {
    if (done_)
      finish(fail(errc::unavailable, "connection lost in the handshake: {}", reason_of(failure)));
    return;
  }
  out_size_ += count;
  if (out_size_ < out_.size()) return write();
  if (done_ || !stream_) return;
  finished_ = true; // refused
  stream_->close();
}

void handshake::finish(result<hello> received) {
  const auto done = std::exchange(done_, nullptr);
  done(*this, std::move(received));
}

} // namespace shoal
