#pragma once

#include "actors/shoal.hpp"
#include "apps/command/common.hpp"
#include "apps/command/progress_line.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace shoal {

/// The flags that say where a model runs: in this process, on worker processes of its own, or on a
/// cluster.
struct runtime_flags {
  host_and_port head; ///< of the cluster; an empty host: none
  int local_nodes = 0;
  int executors = 1;
  int threads = 0;
  bool compress = false;
  bool half = false;

  void add_to(CLI::App& command);
  /// Only --connect, which the command cannot do without.
  void add_connect_to(CLI::App& command);
  bool in_this_process() const { return head.host.empty() && local_nodes == 0; }
  result<std::unique_ptr<runtime>> open(progress_line& progress) const;
};

/// The flags that say which model, and how it is cut.
struct model_flags {
  std::filesystem::path file;
  std::string name;
  std::uint32_t stages = 0;
  bool no_tune = false;

  void add_to(CLI::App& command);
  /// Reads the file; for this process without its large weights, which stay in the file until a
  /// session packs them.
  result<std::shared_ptr<const graph>> import(const runtime_flags& where,
                                              progress_line& progress) const;
  /// What `runtime::load` wants; its steps show up on `progress`, which lives as long.
  load_options options(std::vector<tensor_type> inputs, progress_line& progress) const;
};

} // namespace shoal
