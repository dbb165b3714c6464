#include "actors/child_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <thread>

using namespace shoal;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("actors");

TEST_CASE("a child outlives the thread that started it, and ends with its object") {
  std::unique_ptr<child_process> child;
  std::thread([&child] {
    auto started = child_process::start("/bin/sleep", {"600"});
    REQUIRE(started);
    child = *std::move(started);
  }).join();
  CHECK_FALSE(child->wait(300ms));
  const auto id = child->id();
  child.reset();
  CHECK(kill(id, 0) != 0);
}

TEST_CASE("a program that is not there is an error, not a child") {
  const auto started = child_process::start("/nonexistent/program", {});
  REQUIRE_FALSE(started);
  CHECK(started.error().code() == errc::not_found);
}

TEST_SUITE_END();
