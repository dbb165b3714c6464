#include "tests/support/onnx_text.hpp"

#include "runtime/base/bytes.hpp"
#include "runtime/graph/onnx_import.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <onnx/defs/parser.h>

namespace shoal::test {

std::shared_ptr<const graph> graph_of_text(const std::string& text, int opset) {
  onnx::ModelProto model;
  const auto whole = fmt::format("<ir_version: 8, opset_import: [\"\" : {}]>\n{}", opset, text);
  onnx::OnnxParser parser(whole.c_str());
  const auto parsed = parser.Parse(model);
  REQUIRE_MESSAGE(parsed.IsOK(), parsed.ErrorMessage());
  for (auto& node : *model.mutable_graph()->mutable_node())
    for (auto& input : *node.mutable_input())
      if (input == "none") input.clear();
  const auto bytes = model.SerializeAsString();
  auto imported = import_onnx_bytes(bytes_of(bytes));
  REQUIRE_MESSAGE(imported, (imported ? std::string() : to_string(imported.error())));
  return imported->model;
}

} // namespace shoal::test
