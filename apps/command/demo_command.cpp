#include "actors/child_process.hpp"
#include "actors/shoal.hpp"
#include "apps/builtin/builtin.hpp"
#include "apps/command/commands.hpp"
#include "apps/command/common.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/plan/units.hpp"
#include "runtime/tensor/image.hpp"
#include "runtime/tensor/image_tensor.hpp"

#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

namespace shoal {
namespace {

struct demo_flags {
  std::filesystem::path output = "shoal-demo.png";
  int nodes = 2;
};

/// A folder that goes with its object.
class scratch_folder {
 public:
  static result<std::unique_ptr<scratch_folder>> make() {
    auto name = (std::filesystem::temp_directory_path() / "shoal-demo-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      return fail(errc::io, "cannot make a folder in {}",
                  std::filesystem::temp_directory_path().string());
    return std::unique_ptr<scratch_folder>(new scratch_folder(name));
  }
  ~scratch_folder() {
    std::error_code left_behind; // nothing depends on it
    std::filesystem::remove_all(path, left_behind);
  }
  const std::filesystem::path path;

 private:
  explicit scratch_folder(std::filesystem::path p) : path(std::move(p)) {}
};

/// A head and then nodes; the nodes go first.
class process_group {
 public:
  ~process_group() {
    for (std::size_t i = 1; i < members_.size(); ++i) members_[i]->signal(SIGTERM); // together
    while (!members_.empty()) members_.pop_back();
  }
  child_process& add(std::unique_ptr<child_process> one) {
    const std::lock_guard lock(mutex_);
    return *members_.emplace_back(std::move(one));
  }
  void kill() {
    const std::lock_guard lock(mutex_);
    for (const auto& one : members_) one->signal(SIGKILL);
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<child_process>> members_;
};

/// Leaves no files behind when the user interrupts. Lives while `children` write to `folder`.
class interrupt_guard {
 public:
  interrupt_guard(signal_waiter& signals, std::filesystem::path folder, process_group& children)
      : watcher_([&signals, folder = std::move(folder), &children](const std::stop_token& over) {
          int signal = 0;
          while (signal == 0 && !over.stop_requested())
            signal = signals.wait(std::chrono::milliseconds(50));
          if (signal == 0) return;
          children.kill();
          std::this_thread::sleep_for(std::chrono::milliseconds(50)); // they are gone by then
          std::error_code left_behind;
          std::filesystem::remove_all(folder, left_behind);
          std::signal(signal, SIG_DFL);
          sigset_t one;
          sigemptyset(&one);
          sigaddset(&one, signal);
          pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
          std::raise(signal); // so that the shell sees what ended the demo
        }) {}

 private:
  std::jthread watcher_;
};

/// Starts a head and returns the port that it listens on.
result<std::uint16_t> start_head(const std::filesystem::path& folder, process_group& children) {
  const auto port_file = folder / "port";
  SHOAL_TRY(auto child,
            child_process::start(own_executable(),
                                 {"head", "--log-level", "error", "--bind", "127.0.0.1", "--port",
                                  "0", "--no-discovery", "--port-file", port_file.string(),
                                  "--cache", (folder / "head").string()}));
  auto& head = children.add(std::move(child));
  for (int tries = 0; tries < 200; ++tries) {
    if (const auto text = read_file(port_file, 16)) {
      SHOAL_TRY(const auto where, parse_host_and_port("127.0.0.1:" + *text));
      return where.port;
    }
    if (!head.running()) return fail(errc::unavailable, "the head ended before it listened");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(errc::deadline_exceeded, "the head did not listen within ten seconds");
}

result<void> start_node(const std::filesystem::path& folder, std::uint16_t port, int number,
                        process_group& children) {
  const auto name = fmt::format("worker-{}", number);
  SHOAL_TRY(auto child,
            child_process::start(own_executable(),
                                 {"node", "--log-level", "error", "--bind", "127.0.0.1", "--join",
                                  fmt::format("127.0.0.1:{}", port), "--no-discovery", "--once",
                                  "--threads", "1", "--name", name, "--cache",
                                  (folder / name).string()}));
  children.add(std::move(child));
  return {};
}

result<void> wait_for_nodes(runtime& cluster, std::size_t count) {
  for (int tries = 0; tries < 400; ++tries) {
    SHOAL_TRY(const auto now, cluster.status());
    if (now.nodes.size() >= count) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail(errc::deadline_exceeded, "{} nodes did not join within twenty seconds", count);
}

std::string name_of(const cluster_summary& cluster, const incarnation& id) {
  for (const auto& node : cluster.nodes)
    if (node.id == id) return node.name;
  return to_string(id);
}

void print_stages(const inference& answer, const cluster_summary& cluster) {
  std::printf("\nTime per stage\n");
  const auto& stages = answer.parts.front();
  for (std::size_t i = 0; i < stages.size(); ++i)
    std::printf(
        "  stage %zu on %s: %8.2f ms compute, %6.2f ms queue, %s received\n", i + 1,
        name_of(cluster, stages[i].node).c_str(), static_cast<double>(stages[i].compute_us) * 1e-3,
        static_cast<double>(stages[i].queue_us) * 1e-3, human_bytes(stages[i].bytes).c_str());
  std::printf("  whole request: %.2f ms\n", static_cast<double>(answer.elapsed_us) * 1e-3);
}

result<tensor> run_in_one_process(std::shared_ptr<const graph> graph, const tensor& photo) {
  SHOAL_TRY(auto alone, runtime::embedded({.executors = 1, .threads_per_executor = 1}));
  load_options options;
  options.name = "upscale";
  options.stages = 1;
  options.inputs = {photo.type()};
  SHOAL_TRY(const auto whole, alone->load(std::move(graph), options));
  SHOAL_TRY(auto answer, whole.infer({photo}).get());
  return answer.outputs.front();
}

result<void> run_demo(const demo_flags& flags) {
  SHOAL_TRY(const auto format, format_by_name(flags.output));
  if (format != tensor_format::png && format != tensor_format::jpeg)
    return fail(errc::invalid_argument, "{}: expected a name that ends in .png or .jpg",
                flags.output.string());
  signal_waiter signals; // first: what comes from here on waits for the guard
  SHOAL_TRY(const auto folder, scratch_folder::make());
  SHOAL_TRY(const auto imported, import_onnx_bytes(builtin_model()));
  SHOAL_TRY(const auto photo, decode_image(builtin_photo()));
  SHOAL_TRY(const auto input, image_to_tensor(photo));
  std::printf("Starting a head and %d worker processes on loopback ...\n", flags.nodes);
  process_group children;
  const interrupt_guard guard(signals, folder->path, children);
  SHOAL_TRY(const auto port, start_head(folder->path, children));
  for (int n = 0; n < flags.nodes; ++n) SHOAL_CHECK(start_node(folder->path, port, n, children));
  SHOAL_TRY(auto cluster, runtime::connect("127.0.0.1", port));
  SHOAL_CHECK(wait_for_nodes(*cluster, static_cast<std::size_t>(flags.nodes)));
  load_options options;
  options.name = "upscale";
  options.stages = static_cast<std::uint32_t>(flags.nodes);
  options.inputs = {input.type()};
  SHOAL_TRY(const auto sharded, cluster->load(imported.model, options));
  std::printf("\nThe plan\n%s", sharded.plan_table().c_str());
  SHOAL_CHECK(sharded.infer({input}).get()); // the first request warms caches and connections up
  SHOAL_TRY(const auto answer, sharded.infer({input}).get());
  SHOAL_TRY(const auto workers, cluster->status());
  print_stages(answer, workers);
  SHOAL_TRY(const auto alone, run_in_one_process(imported.model, input));
  const auto& output = answer.outputs.front();
  const bool same = identical(output, alone);
  std::printf("\nThe sharded output %s the single-process output, byte for byte (%zu bytes).\n",
              same ? "equals" : "DIFFERS from", output.byte_size());
  if (!same)
    return fail(errc::internal, "the sharded output differs from the single-process output");
  SHOAL_TRY(const auto picture, tensor_to_image(output));
  SHOAL_CHECK(write_image(flags.output, picture));
  std::printf("Wrote %s: %dx%d pixels from a photograph of %dx%d.\n", flags.output.c_str(),
              picture.width, picture.height, photo.width, photo.height);
  return {};
}

} // namespace

void add_demo_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "demo", "Double the size of the built-in photograph on worker processes of this machine");
  auto flags = std::make_shared<demo_flags>();
  command->add_option("--output", flags->output, "Where the picture goes (PNG)")
      ->capture_default_str();
  command->add_option("--nodes", flags->nodes, "Worker processes")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command->callback([flags, &exit_code] { exit_code = exit_code_of(run_demo(*flags)); });
}

} // namespace shoal
