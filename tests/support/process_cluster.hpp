#pragma once

#include "actors/child_process.hpp"
#include "actors/shoal.hpp"
#include "tests/support/paths.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace shoal::test {

/// A head and nodes as real processes of the `shoal` command on loopback, each with its own cache
/// folder, which outlive the processes: a node started again under its name finds its cache.
/// Members throw on failure: a test cannot go on without.
class process_cluster {
 public:
  explicit process_cluster(int nodes, std::vector<std::string> node_flags = {});

  void start_node(int number);
  child_process& node(int number) { return *nodes_[static_cast<std::size_t>(number)]; }
  child_process& head() { return *head_; }
  std::uint16_t port() const { return port_; }
  std::uint16_t link_port() const { return link_port_; }

  std::unique_ptr<runtime> connect();
  /// Waits until the head counts exactly so many nodes.
  void wait_for_nodes(runtime& client, std::size_t count);

 private:
  temporary_folder folder_;
  std::vector<std::string> node_flags_;
  std::unique_ptr<child_process> head_;
  std::vector<std::unique_ptr<child_process>> nodes_;
  std::uint16_t port_ = 0;
  std::uint16_t link_port_ = 0;
};

/// A port of loopback that nobody uses at the moment.
std::uint16_t free_port();

} // namespace shoal::test
