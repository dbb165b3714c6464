#include "runtime/net/frame_receiver.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/crc32c.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace shoal {
namespace {

// Read ahead this much beyond what is needed: between fragments, to catch the next header and small
// frames with the same system call; while small frames flow, to catch many of them.
constexpr std::size_t read_ahead = 4096;
constexpr std::size_t scratch_bytes =
    frame_header_bytes + std::max(max_open_payload, max_reject_payload) + read_ahead;
constexpr std::size_t max_offered = 16;

result<void> check_booleans(const tensor& values) {
  for (const auto byte : values.bytes())
    if (std::to_integer<unsigned>(byte) > 1)
      return fail(errc::malformed, "a boolean tensor holds the byte {}",
                  std::to_integer<unsigned>(byte));
  return {};
}

} // namespace

struct frame_receiver::partial_message {
  struct piece {
    std::uint64_t begin; // in the body
    std::uint64_t end;
    std::byte* target;
  };

  std::uint32_t stream = 0;
  message content;
  std::vector<tensor_entry> entries;
  std::vector<piece> pieces;
  std::uint64_t body_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t received = 0;
  bool refused = false; // its bytes are still to come, and go nowhere
};

frame_receiver::frame_receiver(const receive_limits& limits, allocator allocate,
                               frame_events& events)
    : limits_(limits), allocate_(std::move(allocate)), events_(events), scratch_(scratch_bytes),
      credit_(limits.window_bytes) {
  assert(validate(limits));
}

frame_receiver::~frame_receiver() = default;

std::span<const mutable_byte_span> frame_receiver::buffers() {
  offered_.clear();
  for (std::size_t i = next_target_; i < targets_.size() && offered_.size() < max_offered; ++i)
    offered_.push_back(targets_[i]);
  const bool all_offered = targets_.size() - next_target_ <= max_offered;
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t wanted = missing_ > 0 ? 0 : wanted_ - (end_ - begin_);
  if (scratch_.size() - end_ < wanted + read_ahead) {
    std::memmove(scratch_.data(), scratch_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (all_offered)
    offered_.push_back(mutable_byte_span(scratch_).subspan(end_, wanted + read_ahead));
  return offered_;
}

result<void> frame_receiver::commit(std::size_t count) {
  if (missing_ > 0) {
    std::size_t direct = std::min(count, missing_);
    count -= direct;
    missing_ -= direct;
    while (direct > 0) {
      auto& target = targets_[next_target_];
      const std::size_t size = std::min(direct, target.size());
      fragment_crc_ = crc32c(target.first(size), fragment_crc_);
      target = target.subspan(size);
      if (target.empty()) ++next_target_;
      direct -= size;
    }
    if (missing_ == 0) SHOAL_CHECK(finish_fragment());
  }
  end_ += count;
  return parse();
}

result<void> frame_receiver::parse() {
  while (missing_ == 0) {
    const auto available = byte_span(scratch_).subspan(begin_, end_ - begin_);
    if (!header_) {
      wanted_ = frame_header_bytes;
      if (available.size() < wanted_) return {};
      SHOAL_TRY(header_, decode_frame_header(available.first(frame_header_bytes)));
    }
    const auto header = *header_;
    const auto payload = available.subspan(frame_header_bytes);
    if (header.type == frame_type::data) {
      begin_ += frame_header_bytes;
      SHOAL_CHECK(begin_fragment(header));
      fill_targets(payload);
      if (missing_ == 0) SHOAL_CHECK(finish_fragment());
    } else {
      wanted_ = frame_header_bytes + header.payload_bytes;
      if (available.size() < wanted_) return {};
      begin_ += wanted_;
      SHOAL_CHECK(handle_small(header, payload.first(header.payload_bytes)));
    }
    header_.reset();
    ++frames_;
  }
  return {};
}

result<void> frame_receiver::handle_small(const frame_header& header, byte_span payload) {
  if (crc32c(payload) != header.payload_crc)
    return fail(errc::malformed, "checksum of a frame's payload does not match");
  switch (header.type) {
  case frame_type::open:
    return handle_open(header, payload);
  case frame_type::credit:
    events_.on_credit(header.offset);
    return {};
  case frame_type::ping:
    events_.on_ping();
    return {};
  case frame_type::pong:
    return {};
  case frame_type::abort:
    erase(header.stream);
    return {};
  case frame_type::reject: {
    SHOAL_TRY(const auto reject, decode_reject_frame(payload));
    events_.on_rejected(header.stream, reject.kind, error(reject.code, reject.text));
    return {};
  }
  case frame_type::data:
    break;
  }
  return fail(errc::internal, "a data frame among the small ones");
}

result<void> frame_receiver::handle_open(const frame_header& header, byte_span payload) {
  SHOAL_TRY(auto frame, decode_open_frame(payload));
  if (frame.inline_body.size() != header.body_bytes)
    return fail(errc::malformed, "an open frame holds {} bytes of body, its header says {}",
                frame.inline_body.size(), header.body_bytes);
  if (find(header.stream) != nullptr)
    return fail(errc::malformed, "stream {} is opened twice", header.stream);
  SHOAL_CHECK(spend(header.body_bytes));
  auto entry = std::make_unique<partial_message>();
  entry->stream = header.stream;
  entry->content.kind = frame.kind;
  entry->content.priority = frame.priority;
  entry->content.metadata.assign(frame.metadata.begin(), frame.metadata.end());
  entry->body_bytes = frame.body_bytes;
  for (const auto& tensor : frame.tensors) {
    entry->memory_bytes += tensor.memory_bytes();
    if (tensor.memory_bytes() > limits_.max_tensor_bytes)
      return fail(errc::malformed, "a tensor of {} bytes exceeds the limit of {}",
                  tensor.memory_bytes(), limits_.max_tensor_bytes);
  }
  if (entry->memory_bytes > limits_.max_message_bytes)
    return fail(errc::malformed, "a message of {} bytes exceeds the limit of {}",
                entry->memory_bytes, limits_.max_message_bytes);
  entry->entries = std::move(frame.tensors);
  const bool whole = frame.inline_body.size() == frame.body_bytes;
  if (!whole && (partial_.size() >= limits_.max_partial_messages ||
                 entry->memory_bytes > limits_.max_partial_bytes - partial_bytes_))
    return fail(errc::malformed, "{} incomplete messages of {} bytes leave no room for one of {}",
                partial_.size(), partial_bytes_, entry->memory_bytes);
  if (auto admitted = admit(*entry); !admitted) {
    entry->refused = true;
    entry->content = {};
    entry->pieces.clear();
    entry->memory_bytes = 0;
    events_.on_refused(header.stream, frame.kind, admitted.error());
  }
  if (!whole) {
    partial_bytes_ += entry->memory_bytes;
    partial_.push_back(std::move(entry));
    return {};
  }
  if (!entry->refused) {
    const auto* from = frame.inline_body.data();
    for (const auto& piece : entry->pieces)
      std::memcpy(piece.target, from + piece.begin, piece.end - piece.begin);
    SHOAL_CHECK(deliver(*entry));
  }
  replenish(header.body_bytes);
  return {};
}

result<void> frame_receiver::admit(partial_message& entry) const {
  std::uint64_t offset = 0;
  for (const auto& tensor_info : entry.entries) {
    const auto size = static_cast<std::size_t>(tensor_info.memory_bytes());
    auto bytes = allocate_(size);
    if (!bytes || bytes->size() < size)
      return fail(errc::resource_exhausted, "the receiver has no memory for {} ({} bytes)",
                  to_string(tensor_info.type), size);
    const std::uint64_t encoded = tensor_info.body_bytes();
    if (encoded > 0) // binary16 goes to the upper half and is widened in place
      entry.pieces.push_back({offset, offset + encoded, bytes->data() + (size - encoded)});
    offset += encoded;
    entry.content.tensors.emplace_back(tensor_info.type, std::move(bytes), 0, tensor_info.format);
  }
  return {};
}

result<void> frame_receiver::begin_fragment(const frame_header& header) {
  auto* entry = find(header.stream);
  if (entry == nullptr)
    return fail(errc::malformed, "a fragment of stream {}, which is not open", header.stream);
  if (header.offset != entry->received || header.body_bytes > entry->body_bytes - entry->received)
    return fail(errc::malformed, "a fragment at {} of {} bytes, expected at {} of a body of {}",
                header.offset, header.body_bytes, entry->received, entry->body_bytes);
  if (header.body_bytes > limits_.max_fragment_bytes)
    return fail(errc::malformed, "frame too large: a fragment of {} bytes, the limit is {}",
                header.body_bytes, limits_.max_fragment_bytes);
  SHOAL_CHECK(spend(header.body_bytes));
  fragment_ = header;
  fragment_crc_ = 0;
  targets_.clear();
  next_target_ = 0;
  missing_ = header.payload_bytes;
  if (entry->refused || header.encoding == fragment_encoding::zstd) {
    if (aside_.size() < missing_) aside_.resize(missing_);
    targets_.push_back(mutable_byte_span(aside_).first(missing_));
  } else {
    aim_at(*entry, header.offset, missing_);
  }
  return {};
}

// The memory of [offset, offset + size) of the body, as a list of spans.
void frame_receiver::aim_at(const partial_message& entry, std::uint64_t offset, std::size_t size) {
  auto piece = std::upper_bound(entry.pieces.begin(), entry.pieces.end(), offset,
                                [](std::uint64_t at, const auto& p) { return at < p.end; });
  for (; size > 0; ++piece) {
    assert(piece != entry.pieces.end() && offset >= piece->begin);
    const auto taken = std::min<std::uint64_t>(size, piece->end - offset);
    targets_.emplace_back(piece->target + (offset - piece->begin), static_cast<std::size_t>(taken));
    offset += taken;
    size -= static_cast<std::size_t>(taken);
  }
}

void frame_receiver::fill_targets(byte_span from) {
  while (missing_ > 0 && !from.empty()) {
    auto& target = targets_[next_target_];
    const std::size_t size = std::min(from.size(), target.size());
    std::memcpy(target.data(), from.data(), size);
    fragment_crc_ = crc32c(from.first(size), fragment_crc_);
    target = target.subspan(size);
    if (target.empty()) ++next_target_;
    from = from.subspan(size);
    missing_ -= size;
    begin_ += size;
  }
}

result<void> frame_receiver::finish_fragment() {
  targets_.clear();
  next_target_ = 0;
  if (fragment_crc_ != fragment_.payload_crc)
    return fail(errc::malformed, "checksum of a fragment does not match");
  auto* entry = find(fragment_.stream);
  assert(entry != nullptr);
  if (fragment_.encoding == fragment_encoding::zstd && !entry->refused) {
    aim_at(*entry, fragment_.offset, fragment_.body_bytes);
    const bool one_tensor = targets_.size() == 1;
    const auto target = targets_.front();
    targets_.clear();
    if (!one_tensor) return fail(errc::malformed, "a compressed fragment spans several tensors");
    SHOAL_CHECK(compressor_.decompress(byte_span(aside_).first(fragment_.payload_bytes), target));
  }
  entry->received += fragment_.body_bytes;
  if (entry->received == entry->body_bytes) {
    if (!entry->refused) SHOAL_CHECK(deliver(*entry));
    erase(fragment_.stream);
  }
  replenish(fragment_.body_bytes);
  return {};
}

result<void> frame_receiver::deliver(partial_message& entry) {
  for (std::size_t i = 0; i < entry.entries.size(); ++i) {
    auto& values = entry.content.tensors[i];
    if (entry.entries[i].encoding == tensor_encoding::fp16)
      widen_from_fp16({values.mutable_data(), values.byte_size()});
    if (values.element_type() == dtype::boolean) SHOAL_CHECK(check_booleans(values));
  }
  events_.on_message(std::move(entry.content));
  return {};
}

result<void> frame_receiver::spend(std::uint64_t body_bytes) {
  if (body_bytes > credit_)
    return fail(errc::malformed, "the peer sends {} bytes, its credit is {}", body_bytes, credit_);
  credit_ -= body_bytes;
  return {};
}

void frame_receiver::replenish(std::uint64_t body_bytes) {
  consumed_ += body_bytes;
  if (consumed_ < limits_.window_bytes / 4) return;
  credit_ += consumed_;
  events_.on_grant(std::exchange(consumed_, 0));
}

frame_receiver::partial_message* frame_receiver::find(std::uint32_t stream) {
  for (const auto& entry : partial_)
    if (entry->stream == stream) return entry.get();
  return nullptr;
}

void frame_receiver::erase(std::uint32_t stream) {
  const auto found = std::find_if(partial_.begin(), partial_.end(),
                                  [&](const auto& entry) { return entry->stream == stream; });
  if (found == partial_.end()) return;
  partial_bytes_ -= (*found)->memory_bytes;
  partial_.erase(found);
}

} // namespace shoal
