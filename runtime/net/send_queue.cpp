#include "runtime/net/send_queue.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/crc32c.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace shoal {
namespace {

constexpr std::size_t max_control_frames = 1024;
// A lane of lower priority gets one frame after so many of higher ones: it is slowed, not starved.
constexpr int max_passed_over = 32;
constexpr std::size_t max_parts_per_fragment = 16;

} // namespace

send_queue::send_queue(const link_codec& codec, std::size_t fragment_bytes)
    : codec_(codec), configured_fragment_(fragment_bytes), fragment_(fragment_bytes) {}

send_queue::~send_queue() = default;

void send_queue::push(std::unique_ptr<outgoing_message> content) {
  lanes_[static_cast<std::size_t>(content->content.priority)].waiting.push_back(std::move(content));
}

void send_queue::start(const receive_limits& peer) {
  peer_ = peer;
  credit_ = peer.window_bytes;
  messages_sent_ = 0;
  frames_sent_ = 0;
  // The receiver holds back at most a quarter of the window: half of it always comes back.
  fragment_ = static_cast<std::size_t>(std::min<std::uint64_t>(
      {configured_fragment_, peer.max_fragment_bytes, peer.window_bytes / 2}));
  active_limit_ = std::clamp<std::size_t>(peer.max_partial_messages / 4, 1, 4);
}

bool send_queue::reject(std::uint32_t stream, const reject_frame& why) {
  if (control_.size() >= max_control_frames) return false;
  control_.push_back({frame_type::reject, stream, encode(why)});
  return true;
}

void send_queue::fill(write_batch& batch) {
  assert(batch.empty());
  batch.clear();
  while (batch.has_room() && emit_control(batch)) {
  }
  while (batch.has_room() && emit_message_frame(batch)) {
  }
}

bool send_queue::emit_control(write_batch& batch) {
  if (grant_ > 0) {
    emit_header(batch, {.type = frame_type::credit, .offset = std::exchange(grant_, 0)}, {});
  } else if (std::exchange(ping_, false)) {
    emit_header(batch, {.type = frame_type::ping}, {});
  } else if (std::exchange(pong_, false)) {
    emit_header(batch, {.type = frame_type::pong}, {});
  } else if (!control_.empty()) {
    const auto& next = control_.front();
    emit_header(batch, {.type = next.type, .stream = next.stream}, next.payload);
    if (!next.payload.empty())
      std::memcpy(batch.reserve(next.payload.size()).data(), next.payload.data(),
                  next.payload.size());
    control_.pop_front();
  } else {
    return false;
  }
  return true;
}

// From the first lane that can send something; now and then from the last one.
bool send_queue::emit_message_frame(write_batch& batch) {
  for (auto& from : lanes_) refuse_oversized(from);
  const auto lowest = std::find_if(lanes_.rbegin(), lanes_.rend(),
                                   [](const auto& candidate) { return !candidate.empty(); });
  if (lowest == lanes_.rend()) return false;
  if (passed_over_ >= max_passed_over && emit_from(*lowest, batch)) {
    passed_over_ = 0;
    return true;
  }
  for (auto& from : lanes_) {
    if (!emit_from(from, batch)) continue;
    passed_over_ = &from == &*lowest ? 0 : passed_over_ + 1;
    return true;
  }
  return false;
}

void send_queue::refuse_oversized(lane& from) {
  while (!from.waiting.empty()) {
    const auto& next = *from.waiting.front();
    std::uint64_t largest = 0;
    for (const auto& entry : next.entries) largest = std::max(largest, entry.memory_bytes());
    if (next.memory_bytes <= peer_.max_message_bytes && largest <= peer_.max_tensor_bytes) return;
    auto reason = fail(errc::resource_exhausted,
                       "the peer takes messages of {} and tensors of {} bytes, this has {} and {}",
                       peer_.max_message_bytes, peer_.max_tensor_bytes, next.memory_bytes, largest);
    auto refused = std::move(from.waiting.front());
    from.waiting.pop_front();
    leave(std::move(refused), std::move(reason));
  }
}

bool send_queue::emit_from(lane& from, write_batch& batch) {
  const auto shortest =
      std::min_element(from.active.begin(), from.active.end(), [](const auto& a, const auto& b) {
        return a->remaining() < b->remaining();
      });
  // To open one that ends later than those under way would only cost the receiver memory.
  const bool overtakes = shortest == from.active.end() ||
                         (!from.waiting.empty() && from.active.size() < active_limit_ &&
                          from.waiting.front()->remaining() < (*shortest)->remaining());
  if (overtakes && !from.waiting.empty() && emit_open(from, batch)) return true;
  if (from.active.empty()) return false;
  // The oldest and the shortest take turns: none waits for ever, short ones not for long.
  from.oldest_next = !from.oldest_next;
  return emit_fragment(from, from.oldest_next ? from.active.begin() : shortest, batch);
}

bool send_queue::emit_open(lane& from, write_batch& batch) {
  auto& next = *from.waiting.front();
  const bool whole = next.body_bytes <= max_inline_body;
  if (whole ? credit_ < next.body_bytes
            : next.memory_bytes > peer_.max_partial_bytes - active_bytes_)
    return false;
  const open_frame frame{next.content.kind, next.content.priority, next.body_bytes,
                         next.entries,      next.content.metadata, {}};
  const auto inline_bytes = whole ? static_cast<std::size_t>(next.body_bytes) : 0;
  const std::size_t described = encoded_bytes(frame);
  auto room = batch.reserve(frame_header_bytes + described + inline_bytes);
  if (room.empty()) return false; // with the next batch
  auto payload = room.subspan(frame_header_bytes);
  encode(frame, payload.first(described));
  auto* to = payload.data() + described;
  if (whole)
    for (const auto& part : next.parts) {
      std::memcpy(to, part.bytes.data(), part.bytes.size());
      to += part.bytes.size();
    }
  next.stream = take_stream();
  encode(frame_header{.type = frame_type::open,
                      .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                      .stream = next.stream,
                      .body_bytes = static_cast<std::uint32_t>(inline_bytes),
                      .payload_crc = crc32c(payload)},
         room.data());
  ++frames_sent_;
  credit_ -= inline_bytes;
  auto opened = std::move(from.waiting.front());
  from.waiting.pop_front();
  if (whole) {
    batch.finished_.push_back(std::move(opened));
  } else {
    active_bytes_ += opened->memory_bytes;
    from.active.push_back(std::move(opened));
  }
  return true;
}

std::size_t send_queue::fragment_size(const outgoing_message& content) const {
  if (codec_.zstd) // stays within one tensor
    return std::min(fragment_, content.parts[content.part].bytes.size() - content.part_offset);
  std::size_t size = 0;
  std::size_t offset = content.part_offset;
  const auto last = std::min(content.parts.size(), content.part + max_parts_per_fragment);
  for (auto i = content.part; i < last && size < fragment_; ++i, offset = 0)
    size += content.parts[i].bytes.size() - offset;
  return std::min(size, fragment_);
}

bool send_queue::emit_fragment(lane& from, message_list::iterator which, write_batch& batch) {
  auto& next = **which;
  const std::size_t size = fragment_size(next);
  if (credit_ < size) return false;
  frame_header header{.type = frame_type::data,
                      .stream = next.stream,
                      .body_bytes = static_cast<std::uint32_t>(size),
                      .offset = next.cut};
  const auto packed = codec_.zstd ? compress(next, size, batch) : byte_span();
  if (!packed.empty()) header.encoding = fragment_encoding::zstd;
  auto room = batch.reserve(frame_header_bytes);
  std::uint32_t checksum = packed.empty() ? 0 : crc32c(packed);
  for (std::size_t left = size; left > 0;) {
    const auto bytes = next.parts[next.part].bytes.subspan(next.part_offset);
    const auto piece = bytes.first(std::min(left, bytes.size()));
    if (packed.empty()) {
      checksum = crc32c(piece, checksum);
      batch.append(piece);
    }
    left -= piece.size();
    next.part_offset += piece.size();
    if (piece.size() == bytes.size()) {
      ++next.part;
      next.part_offset = 0;
    }
  }
  if (!packed.empty()) batch.append(packed);
  header.payload_bytes = static_cast<std::uint32_t>(packed.empty() ? size : packed.size());
  header.payload_crc = checksum;
  encode(header, room.data());
  ++frames_sent_;
  credit_ -= size;
  next.cut += size;
  if (next.remaining() > 0) return true;
  active_bytes_ -= next.memory_bytes;
  batch.finished_.push_back(std::move(*which));
  from.active.erase(which);
  return true;
}

byte_span send_queue::compress(const outgoing_message& content, std::size_t size,
                               write_batch& batch) {
  const auto bytes = content.parts[content.part].bytes.subspan(content.part_offset, size);
  if (batch.compressed_used_ == batch.compressed_.size()) batch.compressed_.emplace_back();
  auto& buffer = batch.compressed_[batch.compressed_used_];
  buffer.resize(fragment_);
  const auto packed = compressor_.compress(bytes, buffer);
  if (packed == 0) return {};
  ++batch.compressed_used_;
  return byte_span(buffer).first(packed);
}

void send_queue::emit_header(write_batch& batch, frame_header header, byte_span payload) {
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.payload_crc = crc32c(payload);
  encode(header, batch.reserve(frame_header_bytes).data());
  ++frames_sent_;
}

void send_queue::written(write_batch& batch) {
  assert(batch.empty());
  auto finished = std::move(batch.finished_);
  batch.finished_.clear();
  dropped_.clear();
  for (auto& content : finished) {
    ++messages_sent_;
    leave(std::move(content), {});
  }
}

bool send_queue::drop(std::uint32_t stream, const error& reason) {
  for (auto& from : lanes_)
    for (auto it = from.active.begin(); it != from.active.end(); ++it) {
      if ((*it)->stream != stream) continue;
      auto content = std::move(*it);
      from.active.erase(it);
      active_bytes_ -= content->memory_bytes;
      control_.push_back({frame_type::abort, stream, {}});
      if (on_left) on_left(*content);
      if (auto done = std::exchange(content->done, nullptr)) done(reason);
      dropped_.push_back(std::move(content)); // a batch being written may point into it
      return true;
    }
  return false;
}

bool send_queue::empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const lane& l) { return l.empty(); });
}

void send_queue::fail_all(write_batch* batch, const error& reason) {
  auto all = take_all();
  if (batch != nullptr) {
    for (auto& content : batch->finished_) all.push_back(std::move(content));
    batch->finished_.clear();
  }
  dropped_.clear();
  control_.clear();
  grant_ = 0;
  ping_ = pong_ = false;
  for (auto& content : all) leave(std::move(content), reason);
}

void send_queue::leave(std::unique_ptr<outgoing_message> content, result<void> outcome) {
  if (on_left) on_left(*content);
  if (content->done) content->done(std::move(outcome));
}

std::vector<std::unique_ptr<outgoing_message>> send_queue::take_all() {
  std::vector<std::unique_ptr<outgoing_message>> all;
  for (auto& from : lanes_)
    for (auto* list : {&from.active, &from.waiting}) {
      for (auto& content : *list) all.push_back(std::move(content));
      list->clear();
    }
  active_bytes_ = 0;
  return all;
}

std::uint32_t send_queue::take_stream() {
  const auto taken = [this](std::uint32_t stream) {
    for (const auto& from : lanes_)
      for (const auto& content : from.active)
        if (content->stream == stream) return true;
    return false;
  };
  do ++last_stream_;
  while (last_stream_ == 0 || taken(last_stream_));
  return last_stream_;
}

} // namespace shoal
