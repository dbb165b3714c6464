#include "tests/support/process_cluster.hpp"

#include "runtime/base/file.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace shoal::test {
namespace {

template <class T>
T must(result<T> outcome) {
  if (!outcome) throw std::runtime_error(to_string(outcome.error()));
  return *std::move(outcome);
}

constexpr int patience = 600; // times 50 ms: these machines are shared

} // namespace

std::uint16_t free_port() {
  const int s = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (s < 0 || bind(s, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(s, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("loopback has no free port");
  close(s);
  return ntohs(address.sin_port);
}

process_cluster::process_cluster(int nodes, std::vector<std::string> node_flags)
    : node_flags_(std::move(node_flags)), link_port_(free_port()) {
  const auto port_file = folder_.path() / "port";
  head_ = must(child_process::start(
      SHOAL_COMMAND, {"head", "--bind", "127.0.0.1", "--port", "0", "--no-discovery", "--link-port",
                      std::to_string(link_port_), "--port-file", port_file.string(), "--cache",
                      (folder_.path() / "head").string()}));
  for (int tries = 0; port_ == 0; ++tries) {
    if (const auto text = read_file(port_file, 16))
      port_ = static_cast<std::uint16_t>(std::stoi(*text));
    else if (tries == patience || !head_->running())
      throw std::runtime_error("the head does not listen");
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (int n = 0; n < nodes; ++n) start_node(n);
}

void process_cluster::start_node(int number) {
  const auto name = fmt::format("node-{}", number);
  std::vector<std::string> words{"node",
                                 "--bind",
                                 "127.0.0.1",
                                 "--join",
                                 fmt::format("127.0.0.1:{}", port_),
                                 "--no-discovery",
                                 "--threads",
                                 "1",
                                 "--name",
                                 name,
                                 "--cache",
                                 (folder_.path() / name).string()};
  words.insert(words.end(), node_flags_.begin(), node_flags_.end());
  if (nodes_.size() <= static_cast<std::size_t>(number))
    nodes_.resize(static_cast<std::size_t>(number) + 1);
  nodes_[static_cast<std::size_t>(number)] = must(child_process::start(SHOAL_COMMAND, words));
}

std::unique_ptr<runtime> process_cluster::connect() {
  return must(runtime::connect("127.0.0.1", port_, {.timeout = std::chrono::seconds(20)}));
}

void process_cluster::wait_for_nodes(runtime& client, std::size_t count) {
  std::size_t seen = 0;
  for (int tries = 0; tries < patience; ++tries) {
    seen = must(client.status()).nodes.size();
    if (seen == count) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error(fmt::format("{} nodes instead of {}", seen, count));
}

} // namespace shoal::test
