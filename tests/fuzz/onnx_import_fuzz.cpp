#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/graph/rewrite.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// Any bytes import or are refused; what imports can be rewritten, exported and imported again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  shoal::import_options options;
  options.limits.max_fields = 100'000;
  options.limits.max_initializer_bytes = 1 << 20;
  const auto imported =
      shoal::import_onnx_bytes({reinterpret_cast<const std::byte*>(data), size}, options);
  if (!imported) return 0;
  shoal::rewrite_options rules;
  rules.promote_half = size % 2 == 0;
  const auto rewritten = shoal::rewrite(*imported->model, rules);
  if (!rewritten) return 0;
  const auto bytes = shoal::export_onnx_bytes(*rewritten);
  if (!bytes || !shoal::import_onnx_bytes(shoal::bytes_of(*bytes))) std::abort();
  return 0;
}
