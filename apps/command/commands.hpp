#pragma once

#include "runtime/base/result.hpp"

#include <CLI/CLI.hpp>

#include <string>

/// The subcommands of `shoal`, one file each. Data goes to standard output, everything else to
/// standard error. Exit codes: 0 success, 1 failure, 2 wrong usage.
namespace shoal {

void add_bench_command(CLI::App& app, int& exit_code);
void add_compress_command(CLI::App& app, int& exit_code);
void add_demo_command(CLI::App& app, int& exit_code);
void add_ensemble_command(CLI::App& app, int& exit_code);
void add_head_command(CLI::App& app, int& exit_code);
void add_infer_command(CLI::App& app, int& exit_code);
void add_node_command(CLI::App& app, int& exit_code);
void add_plan_command(CLI::App& app, int& exit_code);
void add_status_command(CLI::App& app, int& exit_code);

std::string command_version();

/// Prints the error of a failed command; the exit code.
int exit_code_of(const result<void>& outcome);

} // namespace shoal
