#include "apps/command/runtime_flags.hpp"

#include "apps/command/parsed_option.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shoal {

void runtime_flags::add_to(CLI::App& command) {
  constexpr const char* group = "Where the model runs";
  auto* connect =
      add_parsed_option(command, "--connect", head, parse_host_and_port,
                        "HOST:PORT of the head of a running cluster; default: in this process");
  auto* nodes = command.add_option("--local-nodes", local_nodes,
                                   "On so many worker processes, started for this on this machine");
  auto* devices = command.add_option("--executors", executors,
                                     "In this process: executors, one model part each at a time");
  auto* cores = command.add_option("--threads", threads,
                                   "Threads per executor or worker; 0: the cores, shared");
  auto* zstd = command.add_flag("--compress", compress, "To a cluster, send tensors compressed");
  auto* fp16 = command.add_flag("--half", half, "To a cluster, send float32 as float16: lossy");
  connect->group(group);
  nodes->group(group)->check(CLI::Range(1, 64))->excludes(connect);
  devices->group(group)->check(CLI::Range(1, 64))->excludes(connect)->excludes(nodes);
  cores->group(group)->check(CLI::Range(0, 1024))->excludes(connect);
  zstd->group(group)->needs(connect);
  fp16->group(group)->needs(connect);
}

void runtime_flags::add_connect_to(CLI::App& command) {
  add_parsed_option(command, "--connect", head, parse_host_and_port, "HOST:PORT of the head")
      ->required();
}

result<std::unique_ptr<runtime>> runtime_flags::open(progress_line& progress) const {
  if (!head.host.empty()) {
    progress.show(fmt::format("connecting to {}:{}", head.host, head.port));
    connect_options options;
    options.compress = compress;
    options.half = half;
    return runtime::connect(head.host, head.port, options);
  }
  if (local_nodes > 0) {
    progress.show(fmt::format("starting {} worker processes", local_nodes));
    local_options options;
    options.nodes = local_nodes;
    options.threads_per_node = threads > 0 ? threads : std::max(1, usable_cores() / local_nodes);
    return runtime::local(options);
  }
  return runtime::embedded({.executors = executors, .threads_per_executor = threads});
}

void model_flags::add_to(CLI::App& command) {
  command.add_option("--model", file, "The ONNX model")->required()->type_name("FILE");
  command.add_option("--name", name, "What a cluster calls it; default: the name of the file");
  command.add_option("--stages", stages, "Cut it into so many stages; 0: as many as is best")
      ->check(CLI::Range(0, 4096));
  command.add_flag("--no-tune", no_tune,
                   "Do not choose convolution algorithms by measuring; what was chosen is kept in "
                   "the cache folder");
}

result<std::shared_ptr<const graph>> model_flags::import(const runtime_flags& where,
                                                         progress_line& progress) const {
  progress.show("reading " + file.string());
  import_options options;
  options.defer_weights = where.in_this_process();
  SHOAL_TRY(auto imported, import_onnx_file(file, options));
  return std::move(imported.model);
}

load_options model_flags::options(std::vector<tensor_type> inputs, progress_line& progress) const {
  load_options options;
  options.name = name.empty() ? file.stem().string() : name;
  options.stages = stages;
  options.tune = !no_tune;
  options.inputs = std::move(inputs);
  options.on_progress = [&progress](const load_progress& now) {
    if (now.total == 0)
      progress.show(now.step);
    else if (now.step == "fetching")
      progress.show(
          fmt::format("fetching {} of {}", human_bytes(now.done), human_bytes(now.total)));
    else
      progress.show(fmt::format("{} {} of {}", now.step, now.done, now.total));
  };
  return options;
}

} // namespace shoal
