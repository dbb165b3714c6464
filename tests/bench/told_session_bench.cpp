// A session that runs when it is told to, for measurements in turns with another program:
//
//   told_session_bench MODEL.onnx THREADS INPUT.npy...
//
// Says "ready SECONDS" once the model is loaded, rewritten and compiled, then obeys lines of
// standard input: "run N" answers the wall and CPU seconds of each of N runs, "save PREFIX" writes
// the last outputs to PREFIX0.npy and so on, "memory" answers the resident kilobytes at the start
// and the most there were. Ends with standard input.

#include "runtime/graph/onnx_import.hpp"
#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tensor/npy.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>

using namespace shoal;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// A line of /proc/self/status, in kilobytes.
long status_of(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;)
    if (word == key) {
      long value = 0;
      file >> value;
      return value;
    }
  return 0;
}

result<void> serve(const std::string& path, int threads, std::span<char*> input_files) {
  std::vector<tensor> inputs;
  for (const char* file : input_files) {
    SHOAL_TRY(auto input, read_npy(file));
    inputs.push_back(std::move(input));
  }
  const auto resident = status_of("VmRSS:");
  const auto begin = clock_type::now();
  std::optional<session_cache> sessions;
  {
    import_options how;
    how.defer_weights = true;
    SHOAL_TRY(const auto imported, import_onnx_file(path, how));
    SHOAL_TRY(auto model, rewrite_for_cpu(imported.model));
    std::vector<tensor_type> types;
    for (const auto& input : inputs) types.push_back(input.type());
    const tune_options tuning{.threads = threads, .folder = default_tuning_folder()};
    SHOAL_TRY(model, tune_convolutions(std::move(model), types, tuning));
    sessions.emplace(std::move(model), session_options{.threads = threads});
  }
  SHOAL_TRY(auto* compiled, sessions->get(inputs));
  fmt::print("ready {:.6f}\n", seconds_since(begin));
  std::fflush(stdout);

  workspace arena;
  std::vector<tensor> outputs;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, prefix;
    words >> command;
    if (command == "run") {
      int runs = 0;
      for (words >> runs; runs > 0; --runs) {
        const auto start = clock_type::now();
        const double cpu = cpu_seconds();
        SHOAL_TRY(outputs, compiled->run(inputs, arena));
        fmt::print("{:.9f} {:.9f} ", seconds_since(start), cpu_seconds() - cpu);
      }
    } else if (command == "save" && words >> prefix) {
      for (std::size_t i = 0; i < outputs.size(); ++i)
        SHOAL_CHECK(write_npy(fmt::format("{}{}.npy", prefix, i), outputs[i]));
    } else if (command == "memory") {
      fmt::print("{} {}", resident, status_of("VmHWM:"));
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
  return {};
}

} // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    fmt::print(stderr, "usage: told_session_bench MODEL.onnx THREADS INPUT.npy...\n");
    return 2;
  }
  const std::span<char*> rest(arguments + 3, static_cast<std::size_t>(count - 3));
  if (const auto done = serve(arguments[1], std::atoi(arguments[2]), rest); !done) {
    fmt::print(stderr, "told_session_bench: {}\n", done.error().message());
    return 1;
  }
  return 0;
}
