// Images in tiles beside the same model on the whole image. Needs the shared model esrgan_slim_x2.
//
//   tile_bench speed SHOAL [SIDE] [ROUNDS] [TILES]
//       tiles over two worker processes of one core, against a session of two threads on the whole,
//       in turns
//   tile_bench whole [SIDE]                  the whole alone; prints the peak memory of the process
//   tile_bench tiles SHOAL [SIDE]            tiles alone; prints the peak memory of all processes
//   tile_bench overhead [SIDE]               what a tile costs beside its computation
//
// SHOAL is the `shoal` command. Images are SIDE x SIDE (default 2048), random.

#include "actors/tiles.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tile/steady_kernels.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace shoal;

namespace {

using bench_clock = std::chrono::steady_clock;

double seconds_since(bench_clock::time_point begin) {
  return std::chrono::duration<double>(bench_clock::now() - begin).count();
}

/// Most memory that a process had resident, in bytes; 0 when it is gone.
std::uint64_t peak_memory(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10) << 10;
  return 0;
}

/// Of this process and its children.
std::uint64_t peak_memory_of_all() {
  auto sum = peak_memory("self");
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (std::string pid; children >> pid;) sum += peak_memory(pid);
  }
  return sum;
}

struct subject {
  std::shared_ptr<const graph> model;
  tensor image;
};

result<subject> make_subject(std::int64_t side) {
  const auto file = test::shared_file("models/esrgan_slim_x2/model.onnx");
  if (!file) return fail(errc::not_found, "the shared model esrgan_slim_x2 is not at hand");
  SHOAL_TRY(auto imported, import_onnx_file(*file));
  test::random_numbers numbers(1);
  return subject{std::move(imported.model), numbers.tensor_of({1, 3, side, side}, 1)};
}

/// A session of two threads on the whole image.
class whole_way {
 public:
  static result<whole_way> make(const subject& what) {
    SHOAL_TRY(auto rewritten, rewrite_for_cpu(what.model));
    SHOAL_TRY(auto steady, with_steady_kernels(std::move(rewritten)));
    return whole_way(std::move(steady));
  }
  result<tensor> run(const tensor& image) {
    SHOAL_TRY(auto outputs, sessions_->run({&image, 1}, *arena_));
    return outputs[0];
  }

 private:
  explicit whole_way(std::shared_ptr<const graph> model) {
    session_options options;
    options.threads = 2;
    sessions_ = std::make_unique<session_cache>(std::move(model), options);
  }
  std::unique_ptr<session_cache> sessions_;
  std::unique_ptr<workspace> arena_ = std::make_unique<workspace>();
};

/// Tiles over two worker processes of one core.
class tiled_way {
 public:
  static result<tiled_way> make(const subject& what, const std::string& command,
                                tile_choice choice) {
    local_options options;
    options.nodes = 2;
    options.node_program = command;
    tiled_way way;
    SHOAL_TRY(way.where_, runtime::local(options));
    if (auto* automatic = std::get_if<auto_tiles>(&choice)) automatic->executors = 2;
    const auto type = what.image.type();
    SHOAL_TRY(auto plan, tile_plan::make(what.model, {&type, 1}, choice));
    way.plan_ = std::make_unique<tile_plan>(std::move(plan));
    load_options load;
    load.name = "esrgan";
    load.steady = true;
    load.replicate = true;
    load.inputs = way.plan_->usual_inputs();
    SHOAL_TRY(auto ready, way.where_->load(what.model, load));
    way.model_ = std::make_unique<model>(std::move(ready));
    return way;
  }
  result<tensor> run(const tensor& image) {
    tensor_source from(image, plan_->axes());
    SHOAL_TRY(auto to, tensor_sink::create(*plan_));
    tile_run_options how;
    how.in_flight = 5;
    SHOAL_TRY(report, infer_tiles(*model_, *plan_, {image}, from, to, how));
    return to.outputs()[0];
  }
  const tile_plan& plan() const { return *plan_; }
  tile_report report;

 private:
  std::unique_ptr<runtime> where_;
  std::unique_ptr<tile_plan> plan_;
  std::unique_ptr<model> model_;
};

result<void> bench_speed(const std::string& command, std::int64_t side, int rounds,
                         const tile_choice& choice) {
  SHOAL_TRY(const auto what, make_subject(side));
  SHOAL_TRY(auto whole, whole_way::make(what));
  SHOAL_TRY(auto tiled, tiled_way::make(what, command, choice));
  fmt::print("{}", render_tiles(tiled.plan()));
  std::vector<double> ratios, stitching;
  for (int round = 0; round <= rounds; ++round) {
    auto begin = bench_clock::now();
    SHOAL_TRY(const auto expected, whole.run(what.image));
    const auto a = seconds_since(begin);
    begin = bench_clock::now();
    SHOAL_TRY(const auto got, tiled.run(what.image));
    const auto b = seconds_since(begin);
    if (!identical(got, expected)) return fail(errc::internal, "the tiles differ from the whole");
    if (round == 0) continue; // warms up
    fmt::print("whole {:.2f} s, tiles {:.2f} s: {:.3f} times as fast\n", a, b, a / b);
    ratios.push_back(a / b);
    stitching.push_back(static_cast<double>(tiled.report.stitch_us) /
                        static_cast<double>(tiled.report.elapsed_us));
  }
  std::ranges::sort(ratios);
  std::ranges::sort(stitching);
  fmt::print("bit-identical; median {:.3f} times as fast; cutting and stitching {:.1f} % of the "
             "time\n",
             ratios[ratios.size() / 2], stitching[stitching.size() / 2] * 100);
  return {};
}

result<void> print_memory_of_whole(std::int64_t side) {
  SHOAL_TRY(const auto what, make_subject(side));
  SHOAL_TRY(auto whole, whole_way::make(what));
  SHOAL_CHECK(whole.run(what.image));
  fmt::print("whole: {} MiB at most\n", peak_memory_of_all() >> 20);
  return {};
}

result<void> print_memory_of_tiles(const std::string& command, std::int64_t side) {
  SHOAL_TRY(const auto what, make_subject(side));
  SHOAL_TRY(auto tiled, tiled_way::make(what, command, auto_tiles{}));
  SHOAL_CHECK(tiled.run(what.image));
  fmt::print("tiles, three processes: {} MiB at most\n", peak_memory_of_all() >> 20);
  return {};
}

/// Tiles of a model that computes next to nothing.
result<void> bench_overhead(std::int64_t side) {
  test::model_builder b("relu", 17, 1);
  b.output(b.node("Relu", {b.input("x", dtype::f32, {1, 1, "H", "W"})}), "y");
  const auto model = std::make_shared<const graph>(std::move(b).build());
  test::random_numbers numbers(1);
  const auto image = numbers.tensor_of({1, 1, side, side}, 1);
  const auto type = image.type();
  SHOAL_TRY(const auto plan, tile_plan::make(model, {&type, 1}, tile_extents{16, 16}));
  SHOAL_TRY(const auto where, runtime::embedded({.executors = 1, .threads_per_executor = 1}));
  load_options load;
  load.steady = true;
  load.inputs = plan.usual_inputs();
  SHOAL_TRY(const auto ready, where->load(model, load));
  tensor_source from(image, plan.axes());
  SHOAL_TRY(auto to, tensor_sink::create(plan));
  tile_run_options how;
  how.in_flight = 8;
  std::vector<double> each;
  for (int round = 0; round < 11; ++round) {
    SHOAL_TRY(const auto report, infer_tiles(ready, plan, {image}, from, to, how));
    each.push_back(static_cast<double>(report.elapsed_us - report.compute_us) /
                   static_cast<double>(report.tiles));
  }
  std::ranges::sort(each);
  fmt::print("{} tiles of 16x16: {:.1f} us each besides computing (median of {} rounds)\n",
             plan.count(), each[each.size() / 2], each.size());
  return {};
}

result<void> run(const std::vector<std::string>& words) {
  const auto number = [&](std::size_t i, int by_default) {
    return i < words.size() ? std::max(1, std::atoi(words[i].c_str())) : by_default;
  };
  const auto what = words.size() > 1 ? words[1] : "";
  if (what == "speed" && words.size() > 2) {
    SHOAL_TRY(const auto choice, parse_tile_choice(words.size() > 5 ? words[5] : "auto"));
    return bench_speed(words[2], number(3, 2048), number(4, 5), choice);
  }
  if (what == "whole") return print_memory_of_whole(number(2, 2048));
  if (what == "tiles" && words.size() > 2) return print_memory_of_tiles(words[2], number(3, 2048));
  if (what == "overhead") return bench_overhead(number(2, 512));
  return fail(errc::invalid_argument, "expected: speed SHOAL [SIDE] [ROUNDS] [TILES] | whole "
                                      "[SIDE] | tiles SHOAL [SIDE] | overhead "
                                      "[SIDE]");
}

} // namespace

int main(int count, char** arguments) {
  if (auto done = run({arguments, arguments + count}); !done) {
    fmt::print(stderr, "{}\n", done.error().message());
    return 1;
  }
  return 0;
}
