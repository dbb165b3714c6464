#include "runtime/plan/check_memory.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/plan/units.hpp"

namespace shoal {

std::uint64_t bytes_of_type(const tensor_type& type) {
  return static_cast<std::uint64_t>(type.dims.element_count()) * size_of(type.type);
}

result<void> check_memory(const session& compiled, std::span<const tensor_type> inputs) {
  std::uint64_t needed = compiled.workspace_bytes();
  for (const auto& type : inputs) needed += bytes_of_type(type);
  for (const auto& type : compiled.output_types()) needed += bytes_of_type(type);
  const auto available = available_memory();
  if (needed <= available) return {};
  return fail(errc::resource_exhausted,
              "inputs, outputs and intermediate tensors of these shapes need {}; this machine has "
              "{} left",
              human_bytes(needed), human_bytes(available));
}

} // namespace shoal
