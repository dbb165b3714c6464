#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/runtime/graph/sketch.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace shoal;
using namespace shoal::test;

namespace {

/// A model of one convolution and inputs for it.
struct compress_folder {
  temporary_folder folder;
  std::string model = folder.path() / "model.onnx";
  std::string inputs = folder.path() / "inputs";

  compress_folder() {
    sketch s;
    s.input("x", {1, 8, 6, 6});
    s.constant("w", random_tensor({dtype::f32, {128, 8, 3, 3}}, 1));
    s.constant("v", random_tensor({dtype::f32, {16, 128, 1, 1}}, 2));
    s.node("Conv", {"x", "w"}, {"c"}).node("Relu", {"c"}, {"r"}).node("Conv", {"r", "v"}, {"y"});
    REQUIRE(export_onnx_file(s.output("y", dtype::f32).build(), model));
    std::filesystem::create_directory(inputs);
    for (std::uint64_t i = 0; i < 5; ++i)
      REQUIRE(write_npy(inputs + "/" + std::to_string(i) + ".npy",
                        random_tensor({dtype::f32, {1, 8, 6, 6}}, 10 + i)));
  }
};

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("compress writes a model of 8-bit integers that infer runs, and tells how good it is") {
  const compress_folder c;
  const auto ran = run_shoal({"compress", c.model, "--int8", "--calibrate", c.inputs, "--json"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto report = nlohmann::json::parse(ran.out);
  CHECK(report["method"] == "int8");
  CHECK(report["quantized_nodes"] == 2);
  CHECK(report["calibration"]["samples"] == 4);
  CHECK(report["held_out"]["samples"] == 1); // every fourth
  CHECK(report["held_out"]["relative_rms"] > 0);
  CHECK(report["held_out"]["relative_rms"] < 0.05);
  CHECK(report["held_out"]["compressed_ms"] > 0);
  const double shrunk = report["written_bytes"], whole = report["original_bytes"];
  CHECK(shrunk < 0.4 * whole);
  const std::string written = c.folder.path() / "model.int8.onnx";
  CHECK(report["written"] == written);
  CHECK(std::filesystem::file_size(written) == report["written_bytes"]);
  const auto inferred = run_shoal({"infer", "--model", written, "--input", c.inputs + "/0.npy"});
  INFO(inferred.err);
  CHECK(inferred.exit_code == 0);
}

TEST_CASE("compress chooses ranges by entropy where it is told to, and not by a percentile too") {
  const compress_folder c;
  const auto ran =
      run_shoal({"compress", c.model, "--int8", "--entropy", "--calibrate", c.inputs, "--json"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto report = nlohmann::json::parse(ran.out);
  CHECK(report["held_out"]["relative_rms"] > 0);
  CHECK(report["held_out"]["relative_rms"] < 0.1);
  CHECK(report["per_channel"] == true);
  CHECK(run_shoal({"compress", c.model, "--int8", "--entropy", "--percentile", "99", "--calibrate",
                   c.inputs})
            .exit_code != 0);
}

TEST_CASE("compress reports in words, and writes where it is told") {
  const compress_folder c;
  const std::string to = c.folder.path() / "small.onnx";
  const auto ran = run_shoal({"compress", c.model, "--fp16", "--prune", "0.25", "--calibrate",
                              c.inputs, "--held-out", c.inputs, "--output", to});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  for (const auto* words : {"fp16-pruned: ", "of the original", "calibration", "held out", "speed"})
    CHECK(ran.out.find(words) != std::string::npos);
  CHECK(std::filesystem::exists(to));
}

TEST_CASE("compress says what it lacks") {
  const compress_folder c;
  CHECK(run_shoal({"compress", c.model}).exit_code == 2);
  CHECK(run_shoal({"compress", c.model, "--int8"}).exit_code == 2);
  CHECK(run_shoal({"compress", c.model, "--int8", "--fp16", "--calibrate", c.inputs}).exit_code ==
        2);
  const auto missing = run_shoal({"compress", c.model, "--int8", "--calibrate", "/nowhere/at/all"});
  CHECK(missing.exit_code == 1);
  CHECK(missing.err.find("/nowhere/at/all") != std::string::npos);
  const std::string empty = c.folder.path() / "empty";
  std::filesystem::create_directory(empty);
  const auto nothing = run_shoal({"compress", c.model, "--int8", "--calibrate", empty});
  CHECK(nothing.exit_code == 1);
  CHECK(nothing.err.find("holds no inputs") != std::string::npos);
  REQUIRE(write_npy(empty + "/bad.npy", tensor::of<float>({2}, {1, 2})));
  const auto bad = run_shoal({"compress", c.model, "--int8", "--calibrate", empty});
  CHECK(bad.exit_code == 1);
  CHECK(bad.err.find("bad.npy") != std::string::npos);
}

TEST_SUITE_END();
