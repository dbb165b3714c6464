#pragma once

#include "actors/child_process.hpp"
#include "actors/shoal.hpp"
#include "tests/support/paths.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shoal::test {

/// A head and nodes as real processes of the `shoal` command on loopback, without discovery. Each
/// node has one thread and a cache folder that outlives its process: started again under its
/// number, it finds its cache. Members throw on failure: a test cannot go on without.
class process_cluster {
 public:
  /// Returns when all nodes have joined. The flags are those of every node, and of the head.
  explicit process_cluster(int nodes = 0, std::vector<std::string> node_flags = {},
                           std::vector<std::string> head_flags = {});
  /// Nodes go first, so that they leave in good order; what all have logged goes to standard error.
  ~process_cluster();
  process_cluster(const process_cluster&) = delete;
  process_cluster& operator=(const process_cluster&) = delete;

  /// Starts a node, for the first time or again, then under another name: the head refuses one that
  /// comes again too often. Does not wait until it has joined.
  void start_node(int number);
  /// Kills the head and starts it again at the same port, with its cache; nodes find it again.
  void restart_head();
  /// Kills a node that runs and waits until the head counts `left` nodes.
  void kill_node(int number, runtime& client, std::size_t left);

  child_process& head() { return *head_.process; }
  child_process& node(int number) { return *nodes_.at(number).process; }
  std::filesystem::path head_cache() const;
  std::filesystem::path cache_of(int number) const;
  /// What they have logged so far in their present life.
  std::string head_log() const;
  /// Waits until the head has logged a line with these words.
  void wait_for_head_log(const std::string& words) const;
  std::string node_log(int number) const;

  std::uint16_t port() const { return port_; }           ///< of the head
  std::uint16_t link_port() const { return link_port_; } ///< of the head, for tensors
  std::uint16_t node_link_port(int number) const;        ///< for tensors
  std::string address() const;                           ///< "127.0.0.1:PORT"

  std::unique_ptr<runtime> connect() const;
  /// Waits until the head counts exactly so many nodes.
  void wait_for_nodes(runtime& client, std::size_t count) const;

 private:
  struct logged_process {
    std::unique_ptr<child_process> process;
    std::filesystem::path log;
  };

  void start_head();
  logged_process start(const std::vector<std::string>& words, const std::string& name);

  temporary_folder folder_;
  std::vector<std::string> node_flags_;
  std::vector<std::string> head_flags_;
  std::vector<std::filesystem::path> logs_; ///< of all that were started
  logged_process head_;
  std::map<int, logged_process> nodes_;
  std::map<int, int> lives_; ///< of each node
  std::uint16_t port_ = 0;
  std::uint16_t link_port_ = 0;
};

} // namespace shoal::test
