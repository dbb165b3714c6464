#pragma once

#include "actors/child_process.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
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

/// A head and nodes of the `shoal` command, on loopback, without discovery. Failures to start are
/// failures of the test.
class command_cluster {
 public:
  /// `node_flags` are those of every node.
  explicit command_cluster(const std::filesystem::path& folder, int nodes = 0,
                           const std::vector<std::string>& node_flags = {});
  ~command_cluster();
  command_cluster(const command_cluster&) = delete;
  command_cluster& operator=(const command_cluster&) = delete;

  /// Kills the head without a warning and starts another one on the same port.
  void replace_head();
  void wait_for_nodes(std::size_t count) const;

  std::uint16_t port() const { return port_; }
  /// "127.0.0.1:PORT".
  std::string address() const;

 private:
  /// On `port_`; 0: on any free port, which that is then.
  std::unique_ptr<child_process> start_head();

  std::filesystem::path folder_;
  std::vector<std::unique_ptr<child_process>> children_; ///< the head is the first
  std::uint16_t port_ = 0;
};

} // namespace shoal::test
