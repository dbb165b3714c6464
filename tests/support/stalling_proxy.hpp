#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace shoal::test {

/// Stands between a server of this machine and those who connect to it, passes what they send, and
/// of what the server answers only so many bytes, all connections together. The rest waits until
/// `open`. So a transfer stops where a test wants it to. Throws if it cannot listen.
class stalling_proxy {
 public:
  /// Listens at `host`:`port`, a loopback address, for the server at 127.0.0.1:`port`.
  stalling_proxy(const std::string& host, std::uint16_t port, std::uint64_t answer_bytes);
  ~stalling_proxy();
  stalling_proxy(const stalling_proxy&) = delete;
  stalling_proxy& operator=(const stalling_proxy&) = delete;

  /// From now on everything passes.
  void open();

 private:
  void accept_all();
  void pass(int from, int to, bool answers);
  std::size_t wait_for_allowance(std::size_t wanted);

  std::uint16_t port_;
  int listener_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t allowance_;
  bool open_ = false;
  bool closing_ = false;
  std::vector<int> sockets_;
  std::vector<std::thread> passing_;
  std::thread accepting_;
};

} // namespace shoal::test
