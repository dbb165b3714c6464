#pragma once

#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string>

namespace shoal::test {

/// A folder with three models, y = −factor · x with the factors 1, 2 and 6 for x of [N, W], of
/// which the third takes four columns only; and an ensemble file over them.
struct trio_folder {
  temporary_folder folder;

  trio_folder() {
    REQUIRE(export_onnx_file(scaled(1, "W"), folder.path() / "a.onnx"));
    REQUIRE(export_onnx_file(scaled(2, "W"), folder.path() / "b.onnx"));
    REQUIRE(export_onnx_file(scaled(6, 4), folder.path() / "c.onnx"));
  }

  /// Writes the ensemble: the mean of `y` (or another way), then `rest` of the file; the second
  /// member is cut into two stages.
  std::string file(const std::string& rest = "",
                   const std::string& way = R"("way": "mean")") const {
    const std::string path = folder.path() / "trio.json";
    const auto text = fmt::format(
        R"({{"members": [{{"model": "a.onnx"}}, {{"model": "b.onnx", "stages": 2}},
                         {{"model": "c.onnx"}}],
             "outputs": [{{"name": "y", {}}}]{}}})",
        way, rest);
    REQUIRE(replace_file(path, std::array{bytes_of(text)}));
    return path;
  }

 private:
  static graph scaled(float factor, model_builder::extent width) {
    model_builder b("scaled", 13, 1);
    const auto x = b.input("x", dtype::f32, {"N", width});
    b.output(b.node("Mul", {b.node("Neg", {x}), b.scalar(factor)}), "y");
    return std::move(b).build();
  }
};

} // namespace shoal::test
