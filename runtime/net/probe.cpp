#include "runtime/net/probe.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/dial.hpp"

#include <optional>

namespace shoal {

result<void> probe(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout) {
  asio::io_context io(1);
  std::optional<result<void>> outcome;
  const auto attempt =
      std::make_shared<dial>(io, host, port, [&](result<asio::ip::tcp::socket> connected) {
        if (connected)
          outcome.emplace();
        else
          outcome.emplace(std::move(connected).error());
        io.stop();
      });
  attempt->start();
  const auto waiting = asio::make_work_guard(io); // the lookup happens elsewhere
  io.run_for(timeout);
  attempt->cancel();
  if (outcome) return *std::move(outcome);
  return fail(errc::deadline_exceeded, "{}:{}: timed out after {} ms, {}", host, port,
              timeout.count(), attempt->progress());
}

} // namespace shoal
