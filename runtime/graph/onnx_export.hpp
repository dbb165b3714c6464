#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace shoal {

/// Where the bytes of a constant are, in terms of the `weight_source` that the import will use.
struct external_location {
  std::string location;
  std::uint64_t offset = 0;
};

struct export_options {
  /// Constants of fewer bytes are always inside the model.
  std::uint64_t embed_below = std::uint64_t{16} << 10;
  /// Asked for every larger constant; nullopt keeps it inside. Null: all are inside.
  std::function<std::optional<external_location>(const graph_value&)> place;
};

/// The graph as an ONNX model; importing it gives the same graph: nodes in order, names, opsets,
/// attributes, interface and constants, bit for bit. Declared types of values that are neither
/// constants nor inputs nor outputs are dropped. Equal graphs give equal bytes. Domains other than
/// ai.onnx are Shoal's affair: other programs may not know the operators of a rewritten graph.
///
/// `invalid_argument` if two nodes use different opsets of one domain or two values share a name;
/// `resource_exhausted` beyond the 2 GiB of a protobuf message.
result<std::string> export_onnx_bytes(const graph& model, const export_options& options = {});

/// The same into a file, which is replaced as a whole.
result<void> export_onnx_file(const graph& model, const std::filesystem::path& path,
                              const export_options& options = {});

} // namespace shoal
