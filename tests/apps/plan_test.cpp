#include "runtime/base/file.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace shoal;
using namespace shoal::test;

namespace {

const std::string upscale = source_file("apps/builtin/upscale_x2.onnx");

/// Whether every element that begins ends, in order: enough of XML for what we write ourselves.
bool well_formed(const std::string& text) {
  std::vector<std::string> open;
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const auto end = text.find('>', at);
    if (end == std::string::npos) return false;
    const auto tag = text.substr(at + 1, end - at - 1);
    if (tag.starts_with("?") || tag.starts_with("!")) continue;
    const auto name = tag.substr(0, tag.find_first_of(" \n/", 1));
    if (tag.starts_with("/")) {
      if (open.empty() || "/" + open.back() != name) return false;
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(name);
    }
  }
  return open.empty();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("a plan is shown as a table with one row per stage, and as a picture") {
  const temporary_folder folder;
  const std::string picture = folder.path() / "plan.svg";
  const auto ran = run_shoal({"plan", "--model", upscale, "--stages", "5", "--shape",
                              "image=1x3x32x48", "--svg", picture});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.err.empty());
  const auto lines = lines_of(ran.out);
  REQUIRE(lines.size() >= 9); // heading, rule, five stages, rule, totals
  CHECK(lines[0].find("parameters") != std::string::npos);
  for (int stage = 1; stage <= 5; ++stage)
    CHECK(lines[static_cast<std::size_t>(stage) + 1].find(std::to_string(stage)) <
          lines[static_cast<std::size_t>(stage) + 1].find("embedded"));
  CHECK(ran.out.find("bottleneck") != std::string::npos);
  const auto svg = read_file(picture, 1 << 24);
  REQUIRE(svg);
  CHECK(svg->find("<svg") != std::string::npos);
  CHECK(well_formed(*svg));
}

TEST_CASE("the picture alone goes to standard output when asked for") {
  const auto ran = run_shoal(
      {"plan", "--model", upscale, "--stages", "2", "--shape", "1x3x16x16", "--svg", "-"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.find("<svg") < 200);
  CHECK(well_formed(ran.out));
}

TEST_CASE(
    "without shapes a plan takes what the model declares, and 1 and 224 for what it leaves open") {
  const auto ran = run_shoal({"plan", "--model", upscale, "--stages", "2"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.find("588 KiB") != std::string::npos); // 1x3x224x224 of float32
}

TEST_CASE("the shapes of a plan can come from files, and are checked") {
  const auto from_file = run_shoal({"plan", "--model", upscale, "--stages", "2", "--input",
                                    source_file("apps/builtin/photo.png")});
  INFO(from_file.err);
  CHECK(from_file.exit_code == 0);
  const auto wrong = run_shoal({"plan", "--model", upscale, "--shape", "1x4x16x16"});
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("dimension 1 differs") != std::string::npos);
  const auto more =
      run_shoal({"plan", "--model", upscale, "--stages", "4000", "--shape", "1x3x16x16"});
  CHECK(more.exit_code == 1);
  INFO(more.err);
  CHECK(more.err.find("4000") != std::string::npos);
}

TEST_CASE("stages that share a device are counted as one device") {
  const auto ran = run_shoal({"plan", "--model", upscale, "--stages", "3", "--shape", "1x3x32x32"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  INFO(ran.out);
  CHECK(ran.out.find("1 of 1 devices") != std::string::npos);
}

TEST_SUITE_END();
