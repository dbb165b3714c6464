#include "apps/command/common.hpp"

#include "apps/command/commands.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>

namespace shoal {

std::string command_version() {
  return software_version();
}

int exit_code_of(const result<void>& outcome) {
  if (outcome) return 0;
  std::fprintf(stderr, "shoal: %s\n", to_string(outcome.error()).c_str());
  return 1;
}

result<host_and_port> parse_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  host_and_port out;
  const auto wrong = fail(errc::invalid_argument, "expected HOST:PORT, got '{}'", text);
  if (colon == std::string_view::npos || colon == 0) return wrong;
  auto host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto digits = text.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || out.port == 0)
    return wrong;
  out.host = std::string(host);
  return out;
}

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

} // namespace

signal_waiter::signal_waiter() {
  const auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int signal_waiter::wait(std::chrono::milliseconds timeout) {
  const auto set = stop_signals();
  const timespec span{timeout.count() / 1000, timeout.count() % 1000 * 1'000'000};
  const int got = sigtimedwait(&set, nullptr, &span);
  return got > 0 ? got : 0;
}

} // namespace shoal
