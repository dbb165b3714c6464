#include "runtime/store/fetch_plan.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/store/weight_manifest.hpp"

#include <algorithm>

namespace shoal {
namespace {

template <class T>
bool holds(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

void append_chunks(const weight_manifest& manifest, std::vector<wanted_chunk>& wanted) {
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i)
    wanted.push_back({manifest.chunks[i], chunk_size(manifest, i)});
}

fetch_plan::fetch_plan(const std::vector<wanted_chunk>& wanted,
                       const std::function<bool(const wanted_chunk&)>& present,
                       fetch_options options)
    : options_(options) {
  for (const auto& chunk : wanted) {
    if (!index_.try_emplace(chunk.name, chunks_.size()).second) continue;
    chunks_.push_back({chunk, present(chunk), 0, {}, {}, {}});
    ++progress_.chunks_total;
    progress_.bytes_total += chunk.bytes;
    if (!chunks_.back().done) continue;
    ++progress_.chunks_done;
    progress_.bytes_done += chunk.bytes;
  }
}

void fetch_plan::add_peer(const peer_id& peer) {
  auto* known = find_peer(peer);
  if (known == nullptr) {
    peers_.push_back({peer});
    return;
  }
  known->corrupt = 0;
  known->failures = 0;
  known->lost = false;
  for (auto& chunk : chunks_) {
    std::erase(chunk.lacking, peer);
    std::erase(chunk.failing, peer);
  }
}

void fetch_plan::on_peer_lost(const peer_id& peer) {
  auto* known = find_peer(peer);
  if (known == nullptr) return;
  known->lost = true;
  known->in_flight = 0;
  const auto index = static_cast<std::size_t>(known - peers_.data());
  std::erase_if(flights_, [&](const flight& f) {
    if (f.peer != index) return false;
    if (!chunks_[f.chunk].done) again_.insert(f.chunk); // a late answer may have come from another
    return true;
  });
  fail_if_nobody_is_left();
}

std::vector<fetch_plan::request> fetch_plan::next_requests(time_point now) {
  std::vector<request> requests;
  fail_if_nobody_is_left();
  if (failure_) return requests;
  const auto full = [this] {
    return std::none_of(peers_.begin(), peers_.end(),
                        [this](const auto& p) { return has_room(p); });
  };
  for (auto next = again_.begin(); next != again_.end() && !full();) {
    const bool asked = chunks_[*next].not_before <= now && ask(*next, now, requests);
    next = asked ? again_.erase(next) : std::next(next);
  }
  for (; next_fresh_ < chunks_.size() && !full(); ++next_fresh_)
    if (!chunks_[next_fresh_].done && !ask(next_fresh_, now, requests)) again_.insert(next_fresh_);
  return requests;
}

bool fetch_plan::ask(std::size_t chunk, time_point now, std::vector<request>& requests) {
  const auto peer = choose_peer(chunks_[chunk]);
  if (!peer) return false;
  ++peers_[*peer].in_flight;
  flights_.push_back({chunk, *peer, now + options_.timeout});
  requests.push_back({peers_[*peer].id, chunks_[chunk].chunk.name});
  return true;
}

fetch_plan::verdict fetch_plan::on_chunk(const peer_id& peer, const digest& name, byte_span bytes,
                                         time_point now) {
  const auto found = index_.find(name);
  auto* sender = find_peer(peer);
  if (found == index_.end() || sender == nullptr) return verdict::unwanted;
  const auto index = found->second;
  auto& chunk = chunks_[index];
  const bool asked = land(index, peer);
  if (chunk.done) return verdict::duplicate;
  // A late answer, to a request that was given up, is as good as any if it is sound.
  if (bytes.size() != chunk.chunk.bytes || sha256(bytes) != name) {
    ++sender->corrupt;
    if (asked)
      count_try(index, peer, fail(errc::malformed, "the peer sent content that does not fit"), now);
    fail_if_nobody_is_left();
    return verdict::corrupt;
  }
  sender->failures = 0;
  chunk.done = true;
  again_.erase(index);
  ++progress_.chunks_done;
  progress_.bytes_done += chunk.chunk.bytes;
  return verdict::accepted;
}

void fetch_plan::on_failed(const peer_id& peer, const digest& name, const error& why,
                           time_point now) {
  const auto found = index_.find(name);
  if (found == index_.end() || !land(found->second, peer)) return;
  auto& chunk = chunks_[found->second];
  if (chunk.done) return;
  if (why.code() == errc::not_found)
    chunk.lacking.push_back(peer);
  else
    count_try(found->second, peer, why, now);
  fail_if_nobody_has(chunk);
}

void fetch_plan::tick(time_point now) {
  while (!flights_.empty() && flights_.front().deadline <= now) {
    const auto late = flights_.front();
    const auto peer = peers_[late.peer].id;
    land(late.chunk, peer);
    if (!chunks_[late.chunk].done)
      count_try(late.chunk, peer,
                fail(errc::deadline_exceeded, "no answer within {} ms", options_.timeout.count()),
                now);
  }
}

void fetch_plan::abort(error why) {
  if (!failure_) failure_ = std::move(why);
}

std::optional<fetch_plan::time_point> fetch_plan::next_event(time_point now) const {
  if (failure_ || done()) return std::nullopt;
  std::optional<time_point> next;
  if (!flights_.empty()) next = flights_.front().deadline;
  for (const auto index : again_) {
    const auto ready = chunks_[index].not_before;
    // What is ready and still waits, waits for a peer with room: for an answer or its timeout.
    if (ready > now && (!next || ready < *next)) next = ready;
  }
  return next;
}

fetch_plan::peer_state* fetch_plan::find_peer(const peer_id& peer) {
  const auto found =
      std::find_if(peers_.begin(), peers_.end(), [&](const peer_state& p) { return p.id == peer; });
  return found == peers_.end() ? nullptr : &*found;
}

bool fetch_plan::usable(const peer_state& peer) const {
  return !peer.lost && peer.corrupt < options_.max_corrupt_per_peer;
}

bool fetch_plan::has_room(const peer_state& peer) const {
  return usable(peer) && peer.in_flight < options_.max_in_flight_per_peer;
}

bool fetch_plan::may_ask(const peer_state& peer, const chunk_state& chunk) const {
  return usable(peer) && !holds(chunk.lacking, peer.id);
}

std::optional<std::size_t> fetch_plan::choose_peer(const chunk_state& chunk) const {
  std::optional<std::size_t> best;
  const auto cost = [&](const peer_state& peer) {
    return std::tuple(holds(chunk.failing, peer.id), peer.corrupt + peer.failures, peer.in_flight);
  };
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto& peer = peers_[i];
    if (!has_room(peer) || !may_ask(peer, chunk)) continue;
    if (!best || cost(peer) < cost(peers_[*best])) best = i;
  }
  return best;
}

bool fetch_plan::land(std::size_t chunk, const peer_id& peer) {
  const auto found = std::find_if(flights_.begin(), flights_.end(), [&](const flight& f) {
    return f.chunk == chunk && peers_[f.peer].id == peer;
  });
  if (found == flights_.end()) return false;
  --peers_[found->peer].in_flight;
  flights_.erase(found);
  if (!chunks_[chunk].done) again_.insert(chunk);
  return true;
}

void fetch_plan::count_try(std::size_t index, const peer_id& peer, const error& why,
                           time_point now) {
  auto& chunk = chunks_[index];
  if (!holds(chunk.failing, peer)) chunk.failing.push_back(peer);
  if (auto* known = find_peer(peer)) ++known->failures;
  ++chunk.tries;
  if (chunk.tries >= options_.max_tries)
    abort(fail(why.code(), "chunk {} failed {} times, last from node {}: {}",
               to_string(chunk.chunk.name), chunk.tries, to_string(peer), why.message()));
  chunk.not_before =
      now + options_.retry_delay * (std::int64_t{1} << std::min(chunk.tries - 1, 10));
}

void fetch_plan::fail_if_nobody_is_left() {
  if (failure_ || done()) return;
  if (std::none_of(peers_.begin(), peers_.end(), [this](const auto& p) { return usable(p); }))
    abort(fail(errc::unavailable, "no peer is left to fetch the {} missing chunks from",
               progress_.chunks_total - progress_.chunks_done));
  for (const auto index : again_) fail_if_nobody_has(chunks_[index]);
}

void fetch_plan::fail_if_nobody_has(const chunk_state& chunk) {
  if (std::none_of(peers_.begin(), peers_.end(),
                   [&](const peer_state& peer) { return may_ask(peer, chunk); }))
    abort(fail(errc::not_found, "no peer has chunk {}", to_string(chunk.chunk.name)));
}

} // namespace shoal
