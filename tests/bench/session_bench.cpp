// Times plain sessions, as one executor runs them: models of the zoo, the shared models that are at
// hand, and files. Medians of the runs after one that warms up.
//
//   session_bench [--threads N]... [--batch N] [--seconds S] [--profile] [--raw] [--tune]
//                 [--steady] [MODEL or FILE]...
//
// --profile adds where the time goes, by operator and kernel. --raw leaves the graph as it is
// instead of rewriting it first. --tune chooses convolution algorithms first; --steady takes those
// that tiles can be exact with. Open extents are 1, N as --batch says, H and W 128.

#include "runtime/graph/onnx_import.hpp"
#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tile/steady_kernels.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

using namespace shoal;

namespace {

using clock_type = std::chrono::steady_clock;

struct settings {
  std::vector<int> threads;
  std::int64_t batch = 1;
  double seconds = 2;
  bool profile = false;
  bool raw = false;
  bool tune = false;
  bool steady = false;
  std::vector<std::string> models;
};

settings read_arguments(int count, char** arguments) {
  settings s;
  for (int i = 1; i < count; ++i) {
    const std::string a = arguments[i];
    if (a == "--profile")
      s.profile = true;
    else if (a == "--raw")
      s.raw = true;
    else if (a == "--tune")
      s.tune = true;
    else if (a == "--steady")
      s.steady = true;
    else if (a == "--threads" && i + 1 < count)
      s.threads.push_back(std::max(1, std::atoi(arguments[++i])));
    else if (a == "--batch" && i + 1 < count)
      s.batch = std::max(1, std::atoi(arguments[++i]));
    else if (a == "--seconds" && i + 1 < count)
      s.seconds = std::atof(arguments[++i]);
    else
      s.models.push_back(a);
  }
  if (s.threads.empty()) s.threads = {1, 2};
  if (s.models.empty())
    s.models = {"squeezenet", "esrgan_slim_x2", "resnet50", "mobilenet_v2", "bert_base"};
  return s;
}

/// A file, a shared model or one of the zoo; null when a shared model is not at hand.
result<std::shared_ptr<const graph>> load(const std::string& name) {
  const bool is_file = name.ends_with(".onnx");
  if (!is_file) {
    if (auto made = test::make_model(name, {}))
      return std::make_shared<const graph>(*std::move(made));
    const auto path = test::shared_file("models/" + name + "/model.onnx");
    if (!path) return std::shared_ptr<const graph>();
    SHOAL_TRY(auto imported, import_onnx_file(*path));
    return imported.model;
  }
  SHOAL_TRY(auto imported, import_onnx_file(name));
  return imported.model;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Time by operator and kernel, from profiled runs.
result<void> print_profile(const graph& model, session& s, const std::vector<tensor>& inputs) {
  struct share {
    std::size_t steps = 0;
    double seconds = 0;
  };
  constexpr int runs = 5;
  workspace arena;
  std::map<std::string, share> by_kind;
  double total = 0;
  for (int run = 0; run < runs; ++run) {
    SHOAL_CHECK(s.run_profiled(inputs, arena));
    for (const auto& step : s.profile()) {
      const auto& op = model.nodes()[step.node].definition->name;
      auto& entry = by_kind[fmt::format("{} ({})", op, step.kernel)];
      entry.steps += run == 0;
      entry.seconds += step.seconds / runs;
      total += step.seconds / runs;
    }
  }
  std::vector<std::pair<std::string, share>> sorted(by_kind.begin(), by_kind.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  for (const auto& [kind, entry] : sorted)
    fmt::print("    {:<36} {:>4} steps {:>9.3f} ms {:>5.1f} %\n", kind, entry.steps,
               1e3 * entry.seconds, 100 * entry.seconds / total);
  return {};
}

result<void> measure(const std::string& name, const settings& s) {
  SHOAL_TRY(auto model, load(name));
  if (model == nullptr) {
    fmt::print("{:<16} is not at hand\n", name);
    return {};
  }
  if (!s.raw) {
    SHOAL_TRY(model, rewrite_for_cpu(model));
  }
  const auto inputs = test::make_inputs(*model, 1, {{"N", s.batch}, {"H", 128}, {"W", 128}});
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  for (const int threads : s.threads) {
    auto chosen = model;
    if (s.steady) {
      SHOAL_TRY(chosen, with_steady_kernels(model));
    } else if (s.tune) {
      const tune_options tuning{.threads = threads, .folder = default_tuning_folder()};
      SHOAL_TRY(chosen, tune_convolutions(model, types, tuning));
    }
    session_cache sessions(chosen, {.threads = threads});
    workspace arena;
    const auto before = clock_type::now();
    SHOAL_TRY(auto* compiled, sessions.get(inputs));
    const std::chrono::duration<double> compiling = clock_type::now() - before;
    SHOAL_CHECK(compiled->run(inputs, arena));
    std::vector<double> times;
    const auto begin = clock_type::now();
    while (times.size() < 5 ||
           (clock_type::now() - begin < std::chrono::duration<double>(s.seconds) &&
            times.size() < 1000)) {
      const auto start = clock_type::now();
      SHOAL_CHECK(compiled->run(inputs, arena));
      times.push_back(std::chrono::duration<double>(clock_type::now() - start).count());
    }
    fmt::print("{:<16} {} threads {:>9.2f} ms median {:>9.2f} ms best of {:>4} runs; compiled in "
               "{:.0f} ms, {} nodes, {} steps, arena {:.1f} MiB\n",
               name, threads, 1e3 * median(times),
               1e3 * *std::min_element(times.begin(), times.end()), times.size(),
               1e3 * compiling.count(), model->nodes().size(), compiled->profile().size(),
               static_cast<double>(compiled->workspace_bytes()) / 0x1p20);
    if (s.profile) SHOAL_CHECK(print_profile(*model, *compiled, inputs));
    std::fflush(stdout);
  }
  return {};
}

} // namespace

int main(int count, char** arguments) {
  const auto s = read_arguments(count, arguments);
  for (const auto& name : s.models)
    if (const auto done = measure(name, s); !done) {
      fmt::print(stderr, "session_bench: {}: {}\n", name, done.error().message());
      return 1;
    }
  return 0;
}
