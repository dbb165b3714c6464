#include "actors/tiles.hpp"

#include "runtime/base/fail.hpp"

#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

namespace shoal {
namespace {

using clock = std::chrono::steady_clock;

/// Answers on their way from the runtime's threads to the caller's. Shared with the callbacks,
/// which may outlive the run.
class answer_box {
 public:
  struct item {
    std::uint64_t tile = 0;
    result<inference> answer;
  };

  void put(std::uint64_t tile, result<inference> answer) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back({tile, std::move(answer)});
    }
    filled_.notify_one();
  }
  std::optional<item> take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!filled_.wait_for(lock, patience, [this] { return !items_.empty(); })) return std::nullopt;
    auto first = std::move(items_.front());
    items_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<item> items_;
};

struct tile {
  tile_span rows, columns;
  int halvings = 0;
};

std::string name_of(const tile& t) {
  return fmt::format("tile of rows {} to {}, columns {} to {}", t.rows.image.first,
                     t.rows.image.last, t.columns.image.first, t.columns.image.last);
}

std::uint64_t microseconds(clock::duration d) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

/// Microseconds that this thread has computed.
std::uint64_t thread_time() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec) / 1000;
}

class tile_run {
 public:
  tile_run(const model& through, const tile_plan& plan, std::vector<tensor> inputs,
           tile_source& from, tile_sink& to, const tile_run_options& options)
      : through_(through), plan_(plan), inputs_(std::move(inputs)), from_(from), to_(to),
        options_(options) {}
  ~tile_run() {
    for (const auto& [number, out] : open_) through_.cancel(out.request);
  }
  tile_run(const tile_run&) = delete;
  tile_run& operator=(const tile_run&) = delete;

  result<tile_report> finish() {
    const auto begin = clock::now();
    progress_.total = plan_.count();
    while (progress_.done < progress_.total) {
      if (options_.cancelled != nullptr && *options_.cancelled)
        return fail(errc::cancelled, "cancelled after {} of {} tiles", progress_.done,
                    progress_.total);
      while (static_cast<int>(open_.size()) < std::max(options_.in_flight, 1)) {
        const auto next = next_tile();
        if (!next) break;
        SHOAL_CHECK(send(*next));
      }
      if (open_.empty()) continue; // the rest was there already
      // Every request is answered by its deadline: this only looks around between answers.
      if (auto item = box_->take(std::chrono::milliseconds(200)))
        SHOAL_CHECK(receive(*std::move(item)));
    }
    report_.elapsed_us = microseconds(clock::now() - begin);
    return report_;
  }

 private:
  struct outstanding {
    tile what;
    std::uint64_t request = 0;
  };

  /// Halves of tiles first: nothing before their rows is needed then. None: all have been sent.
  std::optional<tile> next_tile() {
    if (!halves_.empty()) {
      auto half = std::move(halves_.front());
      halves_.pop_front();
      return half;
    }
    const auto across = plan_.columns().size();
    while (next_ < plan_.count()) {
      const auto at = next_++;
      tile t{plan_.rows()[at / across], plan_.columns()[at % across]};
      if (!to_.has(t.rows, t.columns)) return t;
      ++report_.skipped;
      tell_progress();
    }
    return std::nullopt;
  }

  result<void> send(tile t) {
    const auto begin = thread_time();
    from_.forget_before(first_row_needed(t));
    auto crop = from_.read(t.rows.image, t.columns.image);
    report_.stitch_us += thread_time() - begin;
    if (!crop) return named(t, crop.error());
    auto inputs = inputs_;
    inputs[plan_.axes().input] = *std::move(crop);
    const auto number = sent_++;
    auto& out = open_[number];
    out.what = std::move(t);
    out.request = through_.infer(
        std::move(inputs),
        [box = box_, number](result<inference> answer) { box->put(number, std::move(answer)); },
        options_.each);
    return {};
  }

  /// A tile that is out may come back to be halved, and is read again then.
  std::int64_t first_row_needed(const tile& t) const {
    auto first = t.rows.image.first;
    for (const auto& [number, out] : open_) first = std::min(first, out.what.rows.image.first);
    for (const auto& half : halves_) first = std::min(first, half.rows.image.first);
    return first;
  }

  result<void> receive(answer_box::item item) {
    const auto found = open_.find(item.tile);
    const auto t = std::move(found->second.what);
    open_.erase(found);
    if (!item.answer) {
      if (item.answer.error().code() == errc::resource_exhausted &&
          t.halvings < options_.most_halvings && halve(t))
        return {};
      return named(t, item.answer.error());
    }
    for (const auto& part : item.answer->parts)
      for (const auto& stage : part) report_.compute_us += stage.compute_us;
    const auto begin = thread_time();
    for (std::size_t o = 0; o < plan_.outputs().size(); ++o)
      SHOAL_CHECK(write(t, o, item.answer->outputs));
    report_.stitch_us += thread_time() - begin;
    ++report_.tiles;
    tell_progress();
    return {};
  }

  result<void> write(const tile& t, std::size_t o, const std::vector<tensor>& outputs) {
    const auto &rows = t.rows.gives[o], &columns = t.columns.gives[o];
    if (rows.output.first > rows.output.last || columns.output.first > columns.output.last)
      return {}; // an output that other tiles cover
    const auto axes = plan_.output_axes(o);
    auto expected = plan_.outputs()[o];
    const bool there = o < outputs.size() && outputs[o].dims().rank() == expected.dims.rank();
    if (there)
      for (const int axis : {axes.rows, axes.columns})
        expected.dims[axis] = outputs[o].dims()[axis];
    const auto end = [](const tile_yield& y) {
      return y.skip + y.output.last - y.output.first + 1;
    };
    if (!there || outputs[o].type() != expected || expected.dims[axes.rows] < end(rows) ||
        expected.dims[axes.columns] < end(columns))
      return named(t,
                   fail(errc::internal, "output {}: expected {} of at least {}x{} elements, got {}",
                        o, to_string(plan_.outputs()[o]), end(rows), end(columns),
                        there ? to_string(outputs[o].type()) : "another rank"));
    auto written = to_.write(o, rows, columns, outputs[o]);
    if (!written) return named(t, written.error());
    return {};
  }

  bool halve(const tile& t) {
    const auto rows = plan_.halve_rows(t.rows);
    const auto columns = plan_.halve_columns(t.columns);
    if (!rows && !columns) return false;
    const auto down = rows ? *rows : std::vector{t.rows};
    const auto across = columns ? *columns : std::vector{t.columns};
    for (const auto& r : down)
      for (const auto& c : across) halves_.push_back({r, c, t.halvings + 1});
    progress_.total += down.size() * across.size() - 1;
    ++report_.halved;
    return true;
  }

  static error named(const tile& t, const error& reason) {
    return {reason.code(), fmt::format("{}: {}", name_of(t), reason.message())};
  }

  void tell_progress() {
    ++progress_.done;
    if (options_.on_progress) options_.on_progress(progress_);
  }

  const model& through_;
  const tile_plan& plan_;
  std::vector<tensor> inputs_;
  tile_source& from_;
  tile_sink& to_;
  const tile_run_options& options_;
  std::shared_ptr<answer_box> box_ = std::make_shared<answer_box>();
  std::map<std::uint64_t, outstanding> open_; ///< by number
  std::deque<tile> halves_;
  std::size_t next_ = 0; ///< of the plan
  std::uint64_t sent_ = 0;
  tile_progress progress_;
  tile_report report_;
};

} // namespace

result<tile_report> infer_tiles(const model& through, const tile_plan& plan,
                                std::vector<tensor> inputs, tile_source& from, tile_sink& to,
                                const tile_run_options& options) {
  if (inputs.size() != plan.inputs().size())
    return fail(errc::invalid_argument, "expected {} inputs, got {}", plan.inputs().size(),
                inputs.size());
  return tile_run(through, plan, std::move(inputs), from, to, options).finish();
}

} // namespace shoal
