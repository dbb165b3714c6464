// What the actors cost: the figures of a cluster against those of plain sessions, interleaved in
// one run. Prints medians and ratios.
//
//   cluster_bench embedded [ROUNDS]          five shards on one executor against a plain session
//   cluster_bench pipeline SHOAL [ROUNDS]    two worker processes of one core, ResNet-50 cut in
//   two,
//                                            against one session of two threads; SHOAL is the
//                                            command
//   cluster_bench plan                       what plans expect of stages against what these take
//   cluster_bench hop                        a part's way from actor to actor within a process
//   cluster_bench steady [REQUESTS]          heap and allocations over many requests

#include "actors/post_office.hpp"
#include "actors/process.hpp"
#include "actors/shoal.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/zoo.hpp"

#include <caf/all.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <new>
#include <thread>

namespace {

std::atomic<std::uint64_t> allocations{0};

} // namespace

// For the whole program: `steady` counts. Not inlined, or GCC takes the pairs for mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace shoal;

namespace {

using bench_clock = std::chrono::steady_clock;

double seconds_since(bench_clock::time_point begin) {
  return std::chrono::duration<double>(bench_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct subject {
  std::string name;
  std::shared_ptr<const graph> model;
  std::vector<tensor> inputs;
};

/// The shared models that are at hand, and ResNet-50 of the zoo.
std::vector<subject> subjects() {
  std::vector<subject> all;
  for (const std::string name : {"squeezenet", "esrgan_slim_x2", "ultraface_rfb320", "espcn_x3"}) {
    const auto file = test::shared_file("models/" + name + "/model.onnx");
    if (!file) {
      fmt::print("{}: skipped, not at hand\n", name);
      continue;
    }
    if (auto imported = import_onnx_file(*file))
      all.push_back({name, imported->model,
                     test::make_inputs(*imported->model, 1, {{"N", 1}, {"H", 128}, {"W", 128}})});
  }
  auto resnet = std::make_shared<const graph>(test::make_resnet());
  auto inputs = test::make_inputs(*resnet, 1);
  all.push_back({"resnet50", std::move(resnet), std::move(inputs)});
  return all;
}

/// A plain session, without any actor.
class plain {
 public:
  static result<std::unique_ptr<plain>> make(const subject& what, int threads) {
    SHOAL_TRY(auto rewritten, rewrite_for_cpu(what.model));
    std::vector<tensor_type> types;
    for (const auto& input : what.inputs) types.push_back(input.type());
    const tune_options tuning{.threads = threads, .folder = default_tuning_folder()};
    SHOAL_TRY(rewritten, tune_convolutions(std::move(rewritten), types, tuning));
    session_options options;
    options.threads = threads;
    return std::unique_ptr<plain>(new plain(std::move(rewritten), options));
  }
  /// Requests per second.
  result<double> run(const std::vector<tensor>& inputs, int requests) {
    const auto begin = bench_clock::now();
    for (int i = 0; i < requests; ++i) SHOAL_CHECK(sessions_.run(inputs, arena_));
    return requests / seconds_since(begin);
  }

 private:
  plain(std::shared_ptr<const graph> model, const session_options& options)
      : sessions_(std::move(model), options) {}
  session_cache sessions_;
  workspace arena_;
};

/// Requests per second of a closed loop with `in_flight` requests at a time.
result<double> drive(const model& m, const std::vector<tensor>& inputs, int requests, int in_flight,
                     const infer_options& options = {}) {
  const auto begin = bench_clock::now();
  std::deque<std::future<result<inference>>> open;
  int sent = 0;
  for (int done = 0; done < requests; ++done) {
    while (sent < requests && static_cast<int>(open.size()) < in_flight) {
      open.push_back(m.infer(inputs, options));
      ++sent;
    }
    SHOAL_CHECK(open.front().get());
    open.pop_front();
  }
  return requests / seconds_since(begin);
}

result<model> deploy(runtime& where, const subject& what, std::uint32_t stages) {
  load_options options;
  options.name = what.name;
  options.stages = stages;
  for (const auto& input : what.inputs) options.inputs.push_back(input.type());
  return where.load(what.model, options);
}

/// Both ways in turn, each for about `seconds`; prints medians and their ratio.
result<void> compare(const std::string& name, const subject& what, plain& session, const model& m,
                     int in_flight, int rounds, double seconds) {
  SHOAL_CHECK(session.run(what.inputs, 2));
  SHOAL_CHECK(drive(m, what.inputs, 4, in_flight));
  SHOAL_TRY(const auto speed, session.run(what.inputs, 4));
  const int requests = std::max(12, static_cast<int>(speed * seconds));
  std::vector<double> plain_rate, shard_rate, ratio;
  for (int round = 0; round < rounds; ++round) {
    SHOAL_TRY(const auto a, session.run(what.inputs, requests));
    SHOAL_TRY(const auto b, drive(m, what.inputs, requests, in_flight));
    plain_rate.push_back(a);
    shard_rate.push_back(b);
    ratio.push_back(b / a);
  }
  std::sort(ratio.begin(), ratio.end());
  fmt::print("{:<28} session {:8.2f}/s  shards {:8.2f}/s  ratio {:.3f} ({:.3f} … {:.3f})\n", name,
             median(plain_rate), median(shard_rate), median(ratio), ratio.front(), ratio.back());
  return {};
}

result<void> bench_embedded(int rounds) {
  for (const auto& what : subjects()) {
    SHOAL_TRY(const auto session, plain::make(what, 1));
    SHOAL_TRY(const auto here, runtime::embedded({.executors = 1, .threads_per_executor = 1}));
    SHOAL_TRY(const auto m, deploy(*here, what, 5));
    SHOAL_CHECK(compare(what.name + ", 5 shards", what, *session, m, 8, rounds, 1));
  }
  return {};
}

result<void> bench_pipeline(const std::string& command, int rounds) {
  const auto what = subjects().back();
  SHOAL_TRY(const auto session, plain::make(what, 2));
  local_options options;
  options.nodes = 2;
  options.node_program = command;
  SHOAL_TRY(const auto here, runtime::local(options));
  SHOAL_TRY(const auto m, deploy(*here, what, 2));
  fmt::print("{}", m.plan_table());
  // Long enough that filling and draining the pipeline, a stage's time of each run, counts little.
  return compare("resnet50, 2 processes", what, *session, m, 6, rounds, 5);
}

/// What each stage takes, in seconds: medians over `requests`, one after the other.
result<std::vector<double>> time_stages(const model& m, const std::vector<tensor>& inputs,
                                        int requests) {
  std::vector<std::vector<double>> samples;
  for (int i = 0; i < requests + 2; ++i) {
    SHOAL_TRY(const auto answer, m.infer(inputs).get());
    const auto& stages = answer.parts.front();
    samples.resize(stages.size());
    for (std::size_t s = 0; i >= 2 && s < stages.size(); ++s)
      samples[s].push_back(static_cast<double>(stages[s].compute_us) * 1e-6);
  }
  std::vector<double> seconds;
  for (auto& of_stage : samples) seconds.push_back(median(std::move(of_stage)));
  return seconds;
}

result<void> bench_plan() {
  std::vector<double> apart;
  for (const auto& what : subjects())
    for (const int threads : {1, 2})
      for (const std::uint32_t stages : {2, 3, 5}) {
        SHOAL_TRY(const auto here,
                  runtime::embedded({.executors = 1, .threads_per_executor = threads}));
        SHOAL_TRY(const auto m, deploy(*here, what, stages));
        SHOAL_TRY(const auto measured, time_stages(m, what.inputs, 60));
        const auto& expected = m.expected_stage_seconds();
        fmt::print("{:<16} {} threads, expected / measured by stage:", what.name, threads);
        for (std::size_t s = 0; s < measured.size(); ++s) {
          const auto ratio = expected[s] / measured[s];
          apart.push_back(std::abs(ratio - 1));
          fmt::print(" {:.2f}", ratio);
        }
        fmt::print("\n");
      }
  const auto within = std::ranges::count_if(apart, [](double d) { return d <= 0.15; });
  fmt::print("{} stages: off by {:.1f} % at the median, {} within 15 %\n", apart.size(),
             median(apart) * 100, within);
  return {};
}

/// Two actors that pass a part to and fro.
struct hop_bench {
  struct state {};
  using pointer = part_receiver_actor::stateful_pointer<state>;

  static part_receiver_actor::behavior_type player(pointer self,
                                                   std::shared_ptr<post_office> office,
                                                   std::shared_ptr<std::promise<void>> finished,
                                                   std::shared_ptr<int> left) {
    return {[=](part_atom, part_ptr& p) {
      (void)self;
      if (--*left == 0) return finished->set_value();
      p->position = 1 - p->position;
      office->send(std::move(p));
    }};
  }

  /// Seconds for `hops` hops.
  static double play(caf::actor_system& system, std::shared_ptr<post_office> office, int hops) {
    auto finished = std::make_shared<std::promise<void>>();
    auto left = std::make_shared<int>(hops);
    auto way = std::make_shared<route>();
    for (int i = 0; i < 2; ++i)
      way->hops.push_back(office->open_mailbox(system.spawn(player, office, finished, left)));
    auto p = std::make_shared<part>();
    p->way = way;
    p->deadline = bench_clock::now() + std::chrono::hours(1);
    auto done = finished->get_future();
    const auto begin = bench_clock::now();
    office->send(std::move(p));
    done.wait();
    const auto spent = seconds_since(begin);
    for (const auto& hop : way->hops) office->close_mailbox(hop.slot);
    return spent;
  }
};

result<void> bench_hop() {
  system_config config(1, false);
  caf::actor_system system(config);
  auto office =
      std::make_shared<post_office>(peer{{1, 1}, "", 0}, [] { return bench_clock::now(); });
  std::vector<double> awake, idle;
  for (int round = 0; round < 21; ++round) {
    awake.push_back(hop_bench::play(system, office, 20000) / 20000);
    for (int i = 0; i < 10; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      idle.push_back(hop_bench::play(system, office, 1));
    }
  }
  fmt::print("hop between actors: awake {:.2f} µs, from idle {:.1f} µs (medians)\n",
             median(awake) * 1e6, median(idle) * 1e6);
  office->close();
  return {};
}

result<void> bench_steady(int requests) {
  subject what{"random", std::make_shared<const graph>(test::make_random_model(3)), {}};
  what.inputs = test::make_inputs(*what.model, 1);
  SHOAL_TRY(const auto here, runtime::embedded({.executors = 1, .threads_per_executor = 1}));
  SHOAL_TRY(const auto m, deploy(*here, what, 2));
  // The scheduler remembers ended parts until their deadline and a lease have passed: with a short
  // deadline its memory is full before the count begins.
  const infer_options soon{.timeout = std::chrono::seconds(1)};
  SHOAL_CHECK(drive(m, what.inputs, requests, 8, soon));
  const auto heap_before = mallinfo2().uordblks;
  const auto count_before = allocations.load();
  SHOAL_CHECK(drive(m, what.inputs, requests, 8, soon));
  const auto heap_after = mallinfo2().uordblks;
  fmt::print("{} requests of 2 stages: heap in use {} -> {} bytes ({:+.2f} per request), {:.1f} "
             "allocations per request\n",
             requests, heap_before, heap_after,
             (static_cast<double>(heap_after) - static_cast<double>(heap_before)) / requests,
             static_cast<double>(allocations.load() - count_before) / requests);
  return {};
}

result<void> run(int count, char** words) {
  const std::string what = count > 1 ? words[1] : "";
  const auto number = [&](int at, int otherwise) {
    return count > at ? std::max(1, std::atoi(words[at])) : otherwise;
  };
  if (what == "embedded") return bench_embedded(number(2, 9));
  if (what == "pipeline" && count > 2) return bench_pipeline(words[2], number(3, 9));
  if (what == "plan") return bench_plan();
  if (what == "hop") return bench_hop();
  if (what == "steady") return bench_steady(number(2, 100'000));
  return fail(
      errc::invalid_argument,
      "expected: embedded [ROUNDS] | pipeline SHOAL [ROUNDS] | plan | hop | steady [REQUESTS]");
}

} // namespace

int main(int count, char** words) {
  const auto outcome = run(count, words);
  if (!outcome) fmt::print(stderr, "{}\n", to_string(outcome.error()));
  return outcome ? 0 : 1;
}
