#include "runtime/operators/copy_kernels.hpp"

#include "kernels/cpu/copy.hpp"
#include "kernels/reference/copy.hpp"

namespace shoal {
namespace {

using copy_function = void (*)(std::size_t, const loop_nest&, const void*, void*);

std::unique_ptr<kernel> make(copy_plan plan, dtype type, copy_function copy) {
  for (auto& one : plan.copies) one.nest.merge();
  auto traits = std::move(plan.traits);
  return function_kernel(
      [copy, size = size_of(type), copies = std::move(plan.copies)](const kernel_io& io) {
        for (const auto& one : copies) {
          if (one.nest.iterations() == 0) continue; // no data to point at, perhaps
          const auto bytes = static_cast<std::int64_t>(size);
          const auto* from = io.inputs[one.input].as<std::byte>() + one.from_offset * bytes;
          auto* to = io.outputs[one.output].as<std::byte>() + one.to_offset * bytes;
          // Equal where `kernel_traits::places` had the input written to its place.
          if (from != to) copy(size, one.nest, from, to);
        }
      },
      std::move(traits));
}

} // namespace

std::unique_ptr<kernel> cpu_copy_kernel(copy_plan plan, dtype type) {
  return make(std::move(plan), type, kernels::copy);
}

std::unique_ptr<kernel> reference_copy_kernel(copy_plan plan, dtype type) {
  return make(std::move(plan), type, reference::copy);
}

} // namespace shoal
