#pragma once

#include "actors/child_process.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace shoal::test {

/// What a program did.
struct command_outcome {
  int exit_code = -1; ///< -1: it did not end in time, or died by a signal
  std::string out;    ///< standard output
  std::string err;    ///< standard error
};

/// Runs a program to its end.
command_outcome run_command(const std::filesystem::path& program,
                            const std::vector<std::string>& arguments,
                            std::chrono::seconds timeout = std::chrono::seconds(120));

/// Runs the `shoal` command that this build made.
command_outcome run_shoal(const std::vector<std::string>& arguments,
                          std::chrono::seconds timeout = std::chrono::seconds(120));

} // namespace shoal::test
