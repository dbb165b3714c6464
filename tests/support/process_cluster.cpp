#include "tests/support/process_cluster.hpp"

#include "runtime/base/file.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

namespace shoal::test {
namespace {

constexpr const char* port_words = "tensors on port ";
constexpr int patience = 600; // times 50 ms: these machines are shared

template <class T>
T must(result<T> outcome) {
  if (!outcome) throw std::runtime_error(to_string(outcome.error()));
  return *std::move(outcome);
}

std::string content_of(const std::filesystem::path& file) {
  auto text = read_file(file, 64 << 20);
  return text ? *std::move(text) : std::string();
}

std::string name_of(int node) {
  return fmt::format("node-{}", node);
}

/// The number that follows `words` in a log; 0 without it.
std::uint16_t number_after(const std::string& log, const std::string& words) {
  const auto found = log.find(words);
  if (found == log.npos) return 0;
  return static_cast<std::uint16_t>(std::stoi(log.substr(found + words.size())));
}

} // namespace

process_cluster::process_cluster(int nodes, std::vector<std::string> node_flags,
                                 std::vector<std::string> head_flags)
    : node_flags_(std::move(node_flags)), head_flags_(std::move(head_flags)) {
  start_head();
  for (int n = 0; n < nodes; ++n) start_node(n);
  if (nodes > 0) wait_for_nodes(*connect(), static_cast<std::size_t>(nodes));
}

process_cluster::~process_cluster() {
  nodes_.clear();
  head_ = {};
  for (const auto& log : logs_)
    std::fprintf(stderr, "%s:\n%s", log.stem().c_str(), content_of(log).c_str());
}

process_cluster::logged_process process_cluster::start(const std::vector<std::string>& words,
                                                       const std::string& name) {
  logs_.push_back(folder_.path() / fmt::format("{}-{}.log", logs_.size(), name));
  return {must(child_process::start(SHOAL_COMMAND, words, {}, logs_.back())), logs_.back()};
}

void process_cluster::start_head() {
  const auto port_file = folder_.path() / "port";
  std::filesystem::remove(port_file);
  std::vector<std::string> words{
      "head",        "--bind",           "127.0.0.1",      "--port",  std::to_string(port_),
      "--port-file", port_file.string(), "--no-discovery", "--cache", head_cache().string()};
  words.insert(words.end(), head_flags_.begin(), head_flags_.end());
  head_ = start(words, "head");
  auto port = content_of(port_file);
  for (int tries = 0; port.empty(); port = content_of(port_file), ++tries) {
    if (tries == patience || !head().running())
      throw std::runtime_error("the head does not listen: " + head_log());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  port_ = static_cast<std::uint16_t>(std::stoi(port));
  link_port_ = number_after(head_log(), port_words);
  if (link_port_ == 0) throw std::runtime_error("the head does not name its port for tensors");
}

void process_cluster::start_node(int number) {
  auto name = name_of(number);
  if (const auto lives = ++lives_[number]; lives > 1) name += fmt::format(".{}", lives);
  std::vector<std::string> words{
      "node",      "--bind", "127.0.0.1", "--join", address(), "--no-discovery",
      "--threads", "1",      "--name",    name,     "--cache", cache_of(number).string()};
  words.insert(words.end(), node_flags_.begin(), node_flags_.end());
  nodes_[number] = start(words, name);
}

void process_cluster::restart_head() {
  head().signal(SIGKILL);
  if (!head().wait(std::chrono::seconds(10)))
    throw std::runtime_error("a killed head does not end");
  start_head();
}

void process_cluster::kill_node(int number, runtime& client, std::size_t left) {
  node(number).signal(SIGKILL);
  if (!node(number).wait(std::chrono::seconds(10)))
    throw std::runtime_error("a killed node does not end");
  wait_for_nodes(client, left);
}

std::filesystem::path process_cluster::head_cache() const {
  return folder_.path() / "head";
}

std::filesystem::path process_cluster::cache_of(int number) const {
  return folder_.path() / name_of(number);
}

std::string process_cluster::head_log() const {
  return content_of(head_.log);
}

void process_cluster::wait_for_head_log(const std::string& words) const {
  for (int tries = 0; tries < patience; ++tries) {
    if (head_log().find(words) != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error(fmt::format("the head does not log '{}'", words));
}

std::string process_cluster::node_log(int number) const {
  return content_of(nodes_.at(number).log);
}

std::uint16_t process_cluster::node_link_port(int number) const {
  return number_after(node_log(number), port_words);
}

std::string process_cluster::address() const {
  return fmt::format("127.0.0.1:{}", port_);
}

std::unique_ptr<runtime> process_cluster::connect() const {
  return must(runtime::connect("127.0.0.1", port_, {.timeout = std::chrono::seconds(20)}));
}

void process_cluster::wait_for_nodes(runtime& client, std::size_t count) const {
  std::size_t seen = 0;
  for (int tries = 0; tries < patience; ++tries) {
    seen = must(client.status()).nodes.size();
    if (seen == count) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error(fmt::format("{} nodes instead of {}", seen, count));
}

} // namespace shoal::test
