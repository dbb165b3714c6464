#include "actors/device_thread.hpp"

#include "actors/interfaces.hpp"
#include "actors/stage_program.hpp"
#include "runtime/base/fail.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace shoal {
namespace {

std::uint64_t microseconds(time_span span) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

} // namespace

device_thread::device_thread() : thread_([s = state_] { s->loop(); }) {}

device_thread::~device_thread() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wakeup.notify_one();
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

void device_thread::post(job work) {
  post(item{nullptr, std::move(work)});
}

void device_thread::post(part_ptr p) {
  post(item{std::move(p), nullptr});
}

void device_thread::post(item next) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->queue.push_back(std::move(next));
  }
  state_->queued.fetch_add(1, std::memory_order_relaxed);
  state_->wakeup.notify_one();
}

device_thread::item device_thread::state::take_next() {
  const auto before = [](const item& a, const item& b) {
    if (!a.part || !b.part) return !a.part && b.part;
    return a.part->deadline < b.part->deadline;
  };
  const auto first = std::min_element(queue.begin(), queue.end(), before);
  auto next = std::move(*first);
  queue.erase(first);
  return next;
}

void device_thread::state::loop() {
  for (;;) {
    item next;
    {
      std::unique_lock lock(mutex);
      wakeup.wait(lock, [this] { return stopping || !queue.empty(); });
      if (stopping) return;
      next = take_next();
    }
    if (next.part)
      run(std::move(next.part));
    else
      next.work(arena);
    queued.fetch_sub(1, std::memory_order_relaxed);
  }
}

void device_thread::state::run(part_ptr p) {
  const auto begin = std::chrono::steady_clock::now();
  if (begin >= p->deadline) {
    p->failure =
        fail(errc::deadline_exceeded, "the deadline passed while the part waited for stage {}",
             p->program->name.stage + 1);
  } else {
    auto outputs = p->program->sessions.run(p->values, arena, p->leaving);
    if (outputs)
      p->values = *std::move(outputs);
    else
      p->failure = std::move(outputs).error();
  }
  const auto end = std::chrono::steady_clock::now();
  const auto spent = microseconds(end - begin);
  busy_us.fetch_add(spent, std::memory_order_relaxed);
  p->trace.back().queue_us = microseconds(begin - p->arrived);
  p->trace.back().compute_us = spent;
  p->program.reset();
  const auto owner = caf::actor_cast<shard_actor>(std::move(p->shard));
  caf::anon_send(owner, done_atom_v, std::move(p));
}

} // namespace shoal
