#pragma once

#include "actors/part.hpp"
#include "runtime/session/workspace.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace shoal {

/// The thread that computes for one executor: CAF's threads never do. Runs jobs one after the other
/// in the order they came; a job may use several OpenMP threads. `post` and the counters may be
/// used from any thread.
class device_thread {
 public:
  /// What runs on the thread, with its arena of intermediate tensors.
  using job = std::function<void(workspace&)>;

  device_thread();
  /// Drops what has not started, and waits for what has.
  ~device_thread();
  device_thread(const device_thread&) = delete;
  device_thread& operator=(const device_thread&) = delete;

  void post(job work);
  /// Runs the stage of `p->program` on its values, in place, and sends `p` back to `p->shard`.
  void post(part_ptr p);

  std::uint64_t queued() const { return queued_.load(std::memory_order_relaxed); }
  /// Time spent on parts since the start.
  std::uint64_t busy_us() const { return busy_us_.load(std::memory_order_relaxed); }

 private:
  struct item {
    part_ptr part; ///< or:
    job work;
  };

  void post(item next);
  void loop();
  void run(part_ptr p);

  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::deque<item> queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<std::uint64_t> busy_us_{0};
  workspace arena_;
  std::thread thread_;
};

} // namespace shoal
