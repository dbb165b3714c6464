#include "runtime/net/connection.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

connection::connection(std::unique_ptr<byte_stream> stream, const receive_limits& limits,
                       frame_receiver::allocator allocate, send_queue& queue,
                       connection_owner& owner, clock::time_point now)
    : stream_(std::move(stream)), remote_(stream_->remote()),
      receiver_(limits, std::move(allocate), *this), queue_(queue), owner_(owner), last_heard_(now),
      last_sent_(now), last_tick_(now) {}

void connection::start(std::vector<std::byte> preamble) {
  preamble_ = std::move(preamble);
  preamble_left_ = preamble_;
  read();
  pump();
}

void connection::read() {
  stream_->read_some(receiver_.buffers(), shared_from_this());
}

void connection::pump() {
  if (writing_ || closed_ || reading_frames_) return;
  if (preamble_left_.empty()) {
    queue_.fill(batch_);
    if (batch_.empty()) return;
  }
  writing_ = true;
  write();
}

void connection::write() {
  if (!preamble_left_.empty())
    stream_->write_some({&preamble_left_, 1}, shared_from_this());
  else
    stream_->write_some(batch_.remaining(), shared_from_this());
}

void connection::on_written(const std::error_code& failure, std::size_t count) {
  if (closed_) return;
  if (failure)
    return broken(
        fail(errc::unavailable, "connection to {} lost: {}", remote_, reason_of(failure)));
  bytes_sent_ += count;
  if (!preamble_left_.empty())
    preamble_left_ = preamble_left_.subspan(count);
  else
    batch_.advance(count);
  if (!preamble_left_.empty() || !batch_.empty()) return write();
  writing_ = false;
  queue_.written(batch_);
  owner_.on_progress(counters());
  pump();
}

void connection::on_read(const std::error_code& failure, std::size_t count) {
  if (closed_) return;
  left_ = is_hang_up(failure) && receiver_.idle() && !writing_ && queue_.empty();
  if (failure)
    return broken(
        fail(errc::unavailable, "connection to {} lost: {}", remote_, reason_of(failure)));
  bytes_received_ += count;
  reading_frames_ = true;
  auto parsed = receiver_.commit(count);
  reading_frames_ = false;
  if (closed_) return;
  owner_.on_progress(counters());
  if (!parsed) return broken(std::move(parsed).error());
  if (flooded_)
    return broken(fail(errc::resource_exhausted, "too many of the peer's messages were refused"));
  pump();
  if (!closed_) read();
}

void connection::on_message(message&& content) {
  ++messages_received_;
  owner_.on_message(std::move(content));
}

void connection::on_refused(std::uint32_t stream, std::uint16_t kind, const error& reason) {
  if (!queue_.reject(stream, {reason.code(), kind, reason.message()})) flooded_ = true;
}

void connection::on_rejected(std::uint32_t stream, std::uint16_t kind, const error& reason) {
  if (!queue_.drop(stream, reason)) owner_.on_rejected(kind, reason);
}

void connection::tick(clock::time_point now, clock::duration ping, clock::duration dead) {
  if (closed_) return;
  // A late tick means that this thread was held up: the peer's bytes may be waiting unread.
  const bool late = now - std::exchange(last_tick_, now) > ping;
  if (late || bytes_received_ != heard_bytes_) last_heard_ = now;
  if (bytes_sent_ != told_bytes_) last_sent_ = now;
  heard_bytes_ = bytes_received_;
  told_bytes_ = bytes_sent_;
  if (now - last_heard_ > dead)
    return broken(fail(errc::unavailable, "no sign of life from {} for {} ms", remote_,
                       std::chrono::duration_cast<std::chrono::milliseconds>(dead).count()));
  if (now - last_sent_ < ping) return;
  last_sent_ = now;
  queue_.ping();
  pump();
}

void connection::close(const error& reason) {
  if (std::exchange(closed_, true)) return;
  stream_->close();
  queue_.fail_all(&batch_, reason);
}

void connection::broken(const error& reason) {
  const auto self = shared_from_this();
  close(reason.code() == errc::unavailable
            ? reason
            : fail(errc::unavailable, "connection to {} dropped: {}", remote_, reason.message()));
  owner_.on_broken(reason);
}

link_counters connection::counters() const {
  return {bytes_sent_,        bytes_received_,      queue_.messages_sent(),
          messages_received_, queue_.frames_sent(), receiver_.frames()};
}

} // namespace shoal
