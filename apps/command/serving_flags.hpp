#pragma once

#include "actors/gatekeeper.hpp"
#include "actors/process.hpp"
#include "apps/command/common.hpp"
#include "runtime/base/machine.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>

namespace shoal {

/// The flags that `shoal head` and `shoal node` share.
struct serving_flags {
  std::string bind = "0.0.0.0";
  std::string advertise;
  std::uint16_t link_port = 0;
  std::string cluster = "shoal";
  std::string codec = "none";
  std::filesystem::path cache = default_cache_folder();
  std::uint64_t cache_bytes = std::uint64_t{64} << 30;
  bool no_discovery = false;
  std::string log_level = "info";

  void add_to(CLI::App& command);
  /// `advertised` is used unless --advertise says otherwise.
  process_options options(const std::string& advertised) const;
};

/// Logs connections that were dropped; `what` says of which kind they were.
connection_problem problem_logger(std::string what);

/// Log lines of `level` and above go to standard error, with a time.
void set_up_logging(const std::string& level);

} // namespace shoal
