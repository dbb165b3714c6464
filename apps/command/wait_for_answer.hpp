#pragma once

#include "apps/command/progress_line.hpp"
#include "runtime/base/result.hpp"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <string>

namespace shoal {

/// The answer, while `progress` shows what is being done, and for how long. Requests end by their
/// deadlines: so does this.
template <class T>
result<T> wait_for_answer(std::future<result<T>> answer, progress_line& progress,
                          const std::string& doing) {
  const auto begin = std::chrono::steady_clock::now();
  while (answer.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    progress.show(fmt::format("{} ({:.0f} s)", doing, elapsed.count()));
  }
  return answer.get();
}

} // namespace shoal
