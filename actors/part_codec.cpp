#include "actors/part_codec.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/wire.hpp"

#include <algorithm>

namespace shoal {
namespace {

// Metadata of a part, little-endian: u8 version, u64 request, u32 part, u32 attempt, u64 epoch,
// u32 position, u64 remaining µs, u64 wall clock µs of sending, u16 hops, u16 stages, u8 failed;
// per hop u64×2 incarnation, u64 slot, u16 port, text host; per stage u64×2 incarnation and
// 4 × u64; if failed: u8 code, u16 length, text.
constexpr std::uint8_t codec_version = 1;
constexpr std::size_t max_hops = 200;
constexpr std::size_t max_failure_text = 8000;

std::uint64_t wall_clock_us() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::string_view failure_text(const part& p) {
  return std::string_view(p.failure->message()).substr(0, max_failure_text);
}

std::size_t encoded_size(const part& p) {
  std::size_t size = 1 + 8 + 4 + 4 + 8 + 4 + 8 + 8 + 2 + 2 + 1;
  for (const auto& hop : p.way->hops)
    size += 16 + 8 + 2 + 1 + std::min<std::size_t>(hop.process.host.size(), 255);
  size += p.trace.size() * (16 + 4 * 8);
  if (p.failure) size += 1 + 2 + failure_text(p).size();
  return size;
}

void put_incarnation(wire_writer& out, const incarnation& id) {
  out.put(id.high);
  out.put(id.low);
}

incarnation take_incarnation(wire_reader& in) {
  const auto high = in.take<std::uint64_t>();
  return {high, in.take<std::uint64_t>()};
}

std::shared_ptr<const route> take_route(wire_reader& in, std::size_t hops) {
  auto way = std::make_shared<route>();
  way->hops.reserve(hops);
  for (std::size_t i = 0; i < hops && in.ok(); ++i) {
    mailbox hop;
    hop.process.id = take_incarnation(in);
    hop.slot = in.take<std::uint64_t>();
    hop.process.port = in.take<std::uint16_t>();
    hop.process.host = std::string(in.take_text());
    way->hops.push_back(std::move(hop));
  }
  return way;
}

} // namespace

message encode_part(const part& p, instant now) {
  message out;
  out.kind = static_cast<std::uint16_t>(link_kind::part);
  out.priority = message_priority::interactive;
  out.metadata.resize(encoded_size(p));
  out.tensors = p.values;
  wire_writer w(out.metadata);
  w.put(codec_version);
  w.put(p.name.request);
  w.put(p.name.part);
  w.put(p.name.attempt);
  w.put(p.name.epoch);
  w.put(p.position);
  const auto remaining = std::chrono::duration_cast<std::chrono::microseconds>(p.deadline - now);
  w.put(static_cast<std::uint64_t>(std::max<std::int64_t>(remaining.count(), 0)));
  w.put(wall_clock_us());
  w.put(static_cast<std::uint16_t>(p.way->hops.size()));
  w.put(static_cast<std::uint16_t>(p.trace.size()));
  w.put(static_cast<std::uint8_t>(p.failure ? 1 : 0));
  for (const auto& hop : p.way->hops) {
    put_incarnation(w, hop.process.id);
    w.put(hop.slot);
    w.put(hop.process.port);
    w.put_text(hop.process.host);
  }
  for (const auto& stage : p.trace) {
    put_incarnation(w, stage.node);
    w.put(stage.queue_us);
    w.put(stage.compute_us);
    w.put(stage.transfer_us);
    w.put(stage.bytes);
  }
  if (p.failure) {
    const auto text = failure_text(p);
    w.put(static_cast<std::uint8_t>(p.failure->code()));
    w.put(static_cast<std::uint16_t>(text.size()));
    w.put_bytes(bytes_of(text));
  }
  return out;
}

result<part_ptr> decode_part(message&& content, instant now) {
  wire_reader in(content.metadata);
  if (const auto version = in.take<std::uint8_t>(); version != codec_version)
    return fail(errc::version_mismatch, "a part in format {}, expected {}", version, codec_version);
  auto p = std::make_shared<part>();
  p->name.request = in.take<std::uint64_t>();
  p->name.part = in.take<std::uint32_t>();
  p->name.attempt = in.take<std::uint32_t>();
  p->name.epoch = in.take<std::uint64_t>();
  p->position = in.take<std::uint32_t>();
  // A century is as good as for ever, and does not overflow the clock.
  constexpr std::uint64_t century_us = 3'155'760'000'000'000;
  p->deadline = now + std::chrono::microseconds(std::min(in.take<std::uint64_t>(), century_us));
  const auto sent_us = in.take<std::uint64_t>(), now_us = wall_clock_us();
  p->transfer_us = now_us > sent_us ? now_us - sent_us : 0;
  const auto hops = in.take<std::uint16_t>(), stages = in.take<std::uint16_t>();
  const bool failed = in.take<std::uint8_t>() != 0;
  if (hops == 0 || hops > max_hops || stages > hops || p->position >= hops)
    return fail(errc::malformed, "a part at hop {} of {} with {} stages behind it", p->position,
                hops, stages);
  p->way = take_route(in, hops);
  for (std::size_t i = 0; i < stages && in.ok(); ++i) {
    stage_time stage;
    stage.node = take_incarnation(in);
    stage.queue_us = in.take<std::uint64_t>();
    stage.compute_us = in.take<std::uint64_t>();
    stage.transfer_us = in.take<std::uint64_t>();
    stage.bytes = in.take<std::uint64_t>();
    p->trace.push_back(stage);
  }
  if (failed) {
    const auto code = in.take<std::uint8_t>();
    const auto length = in.take<std::uint16_t>();
    p->failure = failure{code, std::string(text_of(in.take_bytes(length)))}.to_error();
  }
  if (!in.complete())
    return fail(errc::malformed, "the metadata of a part has {} bytes, which its counts contradict",
                content.metadata.size());
  p->received_bytes = payload_bytes(content);
  p->values = std::move(content.tensors);
  return p;
}

} // namespace shoal
