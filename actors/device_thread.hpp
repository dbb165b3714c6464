#pragma once

#include "actors/part.hpp"
#include "runtime/session/workspace.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace shoal {

/// The thread that computes for one executor: CAF's threads never do. Runs one thing at a time,
/// which may use several OpenMP threads: jobs first, in the order they came, then the part with the
/// earliest deadline. Of requests with equal timeouts that is the oldest, so a part that was begun
/// is finished, its values still in the cache, before another is begun. `post` and the counters may
/// be used from any thread.
class device_thread {
 public:
  /// What runs on the thread, with its arena of intermediate tensors.
  using job = std::function<void(workspace&)>;

  device_thread();
  /// Drops what has not started, and waits for what has; not for the job that it is called in.
  ~device_thread();
  device_thread(const device_thread&) = delete;
  device_thread& operator=(const device_thread&) = delete;

  void post(job work);
  /// Runs the stage of `p->program` on its values, in place, and sends `p` back to `p->shard`.
  void post(part_ptr p);

  std::uint64_t queued() const { return state_->queued.load(std::memory_order_relaxed); }
  /// Time spent on parts since the start.
  std::uint64_t busy_us() const { return state_->busy_us.load(std::memory_order_relaxed); }

 private:
  struct item {
    part_ptr part; ///< or:
    job work;
  };
  /// Owned by the thread, too: the last owner of a device may let go of it in one of its own jobs.
  struct state {
    std::mutex mutex;
    std::condition_variable wakeup;
    std::deque<item> queue;
    bool stopping = false;
    std::atomic<std::uint64_t> queued{0};
    std::atomic<std::uint64_t> busy_us{0};
    workspace arena;

    void loop();
    item take_next();
    void run(part_ptr p);
  };

  void post(item next);

  std::shared_ptr<state> state_ = std::make_shared<state>();
  std::thread thread_;
};

} // namespace shoal
