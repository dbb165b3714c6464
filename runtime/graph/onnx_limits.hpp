#pragma once

#include <cstdint>

namespace shoal {

/// The most that a model file may ask for. The defaults are far above real models; whoever takes
/// models from strangers lowers them.
struct import_limits {
  /// Protobuf cannot hold more.
  std::uint64_t max_file_bytes = (std::uint64_t{1} << 31) - 1;
  /// What costs memory whatever it holds: each string or number counts one, a message four, packed
  /// integers one per 16 bytes.
  std::uint64_t max_fields = 8'000'000;
  /// Messages inside messages.
  int max_nesting = 48;
  std::uint64_t max_nodes = 200'000;
  std::uint64_t max_values = 1'000'000;
  /// Bytes of a name or of a dimension's symbol.
  std::uint64_t max_name_length = 4096;
  /// Bytes of one attribute that is not a tensor.
  std::uint64_t max_attribute_bytes = std::uint64_t{16} << 20;
  /// Bytes of the nodes that calls of the model's own functions come to, all calls together; of
  /// these nodes there may be `max_nodes`, and calls and graphs nest up to `max_nesting`.
  std::uint64_t max_function_bytes = std::uint64_t{256} << 20;
  /// Bytes of all constants together, those in external files included.
  std::uint64_t max_initializer_bytes = std::uint64_t{64} << 30;
};

} // namespace shoal
