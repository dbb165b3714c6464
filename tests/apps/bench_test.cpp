#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace shoal::test;
using nlohmann::json;

namespace {

const std::string upscale = source_file("apps/builtin/upscale_x2.onnx");

std::vector<std::string> bench(std::vector<std::string> flags) {
  std::vector<std::string> words{"bench",   "--model",   upscale, "--shape",
                                 "1x3x8x8", "--threads", "1"};
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

void check_consistent(const json& report) {
  const auto& requests = report["requests"];
  CHECK(requests["sent"] == requests["succeeded"].get<int>() + requests["failed"].get<int>());
  const auto& latency = report["latency_ms"];
  CHECK(latency["min"] <= latency["p50"]);
  CHECK(latency["p50"] <= latency["p95"]);
  CHECK(latency["p95"] <= latency["p99"]);
  CHECK(latency["p99"] <= latency["max"]);
  CHECK(latency["min"] <= latency["mean"]);
  CHECK(latency["mean"] <= latency["max"]);
  CHECK(report["throughput_per_s"].get<double>() * report["seconds"].get<double>() ==
        doctest::Approx(requests["succeeded"].get<double>()));
  for (const auto& stage : report["stages"]) CHECK(stage["compute_ms"] <= latency["max"]);
  for (const auto& device : report["devices"])
    if (!device["busy_share"].is_null()) {
      CHECK(device["busy_share"] >= 0);
      CHECK(device["busy_share"] <= 1);
    }
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("a closed loop reports numbers that agree with each other") {
  const auto ran =
      run_shoal(bench({"--requests", "40", "--concurrency", "2", "--stages", "2", "--json"}));
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.err.empty());
  const auto report = json::parse(ran.out, nullptr, false);
  REQUIRE(report.is_object());
  CHECK(report["requests"]["sent"] == 40);
  CHECK(report["requests"]["failed"] == 0);
  CHECK(report["errors"].empty());
  CHECK(report["load"]["loop"] == "closed");
  CHECK(report["load"]["concurrency"] == 2);
  REQUIRE(report["stages"].size() == 2);
  CHECK(report["stages"][1]["parts"] == 40);
  CHECK(report["network"]["bytes_per_request"] == 0);
  check_consistent(report);
}

TEST_CASE("worker processes exchange bytes, and an open loop keeps its schedule") {
  const auto ran = run_shoal(bench({"--rate", "40", "--arrivals", "constant", "--requests", "30",
                                    "--local-nodes", "2", "--stages", "2", "--json"}));
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto report = json::parse(ran.out, nullptr, false);
  REQUIRE(report.is_object());
  CHECK(report["load"]["loop"] == "open");
  CHECK(report["load"]["arrivals"] == "constant");
  CHECK(report["requests"]["succeeded"] == 30);
  // 30 requests, 25 ms apart.
  CHECK(report["seconds"] >= 29 * 0.025);
  // The input reaches the first stage, and the output, four times as large, comes back.
  CHECK(report["network"]["bytes_per_request"] >= 5 * 3 * 8 * 8 * 4);
  CHECK(report["devices"].size() == 2);
  check_consistent(report);
}

TEST_CASE("errors are counted by their kind") {
  const auto slow = run_shoal({"bench", "--model", upscale, "--shape", "1x3x512x512", "--requests",
                               "3", "--warmup", "0", "--timeout", "0.005", "--json"});
  INFO(slow.err);
  REQUIRE(slow.exit_code == 0);
  const auto report = json::parse(slow.out, nullptr, false);
  REQUIRE(report.is_object());
  CHECK(report["requests"]["failed"] == 3);
  int counted = 0;
  for (const auto& [kind, count] : report["errors"].items()) counted += count.get<int>();
  CHECK(counted == 3);
  CHECK(report.contains("first_error"));
}

TEST_CASE("people get tables") {
  const auto ran = run_shoal(bench({"--requests", "5"}));
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  for (const auto* part :
       {"throughput", "p50", "p99", "medians per stage", "busy", "5 succeeded"}) {
    CAPTURE(part);
    CHECK(ran.out.find(part) != std::string::npos);
  }
}

TEST_SUITE_END();
