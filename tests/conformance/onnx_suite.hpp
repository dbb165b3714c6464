#pragma once

#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>

/// ONNX's own tests as folders: model.onnx and test_data_set_N/{input,output}_I.pb. Debian has them
/// in libonnx-testdata; SHOAL_ONNX_TESTDATA names another folder of the same form. Set
/// SHOAL_CONFORMANCE to run only the tests whose path contains it.
namespace shoal::test {

/// How far a number may be off, as in ONNX's own runner but for numbers next to 0.
inline constexpr double suite_relative = 1e-3, suite_absolute = 1e-5;

inline std::filesystem::path suite_folder() {
  const char* chosen = std::getenv("SHOAL_ONNX_TESTDATA");
  return chosen != nullptr ? chosen : "/usr/share/libonnx-testdata/data";
}

/// The tests of one part of the suite ("node", ...), sorted; none where it is absent.
inline std::set<std::filesystem::path> suite_tests(const std::string& part) {
  const char* filter = std::getenv("SHOAL_CONFORMANCE");
  std::set<std::filesystem::path> found;
  if (!std::filesystem::exists(suite_folder() / part)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(suite_folder() / part))
    if (filter == nullptr || entry.path().string().find(filter) != std::string::npos)
      found.insert(entry.path());
  return found;
}

/// As expected_failures.txt calls it: "node/test_abs".
inline std::string suite_name(const std::filesystem::path& test) {
  return (test.parent_path().filename() / test.filename()).string();
}

/// The reason of those that fail in a session alone.
inline constexpr const char* depends_on_values = "shape depends on values";

/// The tests that are known not to pass, each with its reason.
inline std::map<std::string, std::string> read_expected_failures() {
  std::ifstream file(source_file("tests/conformance/expected_failures.txt"));
  REQUIRE(file.good());
  std::map<std::string, std::string> reasons;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto gap = line.find(' ');
    const auto reason = line.find_first_not_of(' ', gap);
    REQUIRE_MESSAGE(reason != std::string::npos, "a test without a reason: ", line);
    const bool is_new = reasons.emplace(line.substr(0, gap), line.substr(reason)).second;
    REQUIRE_MESSAGE(is_new, "a test listed twice: ", line);
  }
  return reasons;
}

template <class Message>
std::optional<Message> read_message(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Message message;
  if (!file || !message.ParseFromIstream(&file)) return std::nullopt;
  return message;
}

} // namespace shoal::test
