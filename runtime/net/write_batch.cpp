#include "runtime/net/send_queue.hpp"

namespace shoal {
namespace {

constexpr std::size_t arena_bytes = std::size_t{128} << 10;
// A fragment takes up to 17 spans; the system takes 1024, Asio 64.
constexpr std::size_t max_spans = 64;
constexpr std::size_t spans_per_frame = 17;
// What comes next waits for no more than these.
constexpr std::size_t batch_bytes = std::size_t{512} << 10;

} // namespace

write_batch::write_batch() : arena_(arena_bytes) {
  spans_.reserve(max_spans);
}

std::span<const byte_span> write_batch::remaining() const {
  return std::span(spans_).subspan(next_);
}

void write_batch::advance(std::size_t count) {
  while (count > 0) {
    auto& first = spans_[next_];
    if (count < first.size()) {
      first = first.subspan(count);
      return;
    }
    count -= first.size();
    ++next_;
  }
}

// Room in the arena that goes out after all that came before; empty when there is none.
std::span<std::byte> write_batch::reserve(std::size_t size) {
  if (size > arena_.size() - arena_used_) return {};
  const auto room = std::span(arena_).subspan(arena_used_, size);
  arena_used_ += size;
  append(room);
  return room;
}

void write_batch::append(byte_span bytes) {
  bytes_ += bytes.size();
  if (!spans_.empty() && spans_.back().data() + spans_.back().size() == bytes.data()) {
    spans_.back() = {spans_.back().data(), spans_.back().size() + bytes.size()};
    return;
  }
  spans_.push_back(bytes);
}

void write_batch::clear() {
  spans_.clear();
  next_ = 0;
  arena_used_ = 0;
  bytes_ = 0;
  compressed_used_ = 0;
}

bool write_batch::has_room() const {
  return spans_.size() + spans_per_frame <= max_spans && bytes_ < batch_bytes &&
         arena_used_ + frame_header_bytes + max_reject_payload <= arena_.size();
}

} // namespace shoal
