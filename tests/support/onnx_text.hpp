#pragma once

#include "runtime/graph/graph.hpp"

#include <memory>
#include <string>

namespace shoal::test {

/// A graph written in ONNX's own text form, of IR version 8 and opset `opset`:
/// "g (float[N] x) => (float[N] y) { y = Neg(x) }". An input called "none" is left out.
std::shared_ptr<const graph> graph_of_text(const std::string& text, int opset = 17);

} // namespace shoal::test
