#pragma once

#include "kernels/loop_nest.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operator.hpp"

#include <vector>

/// Kernels of operators that move elements without looking at them.
namespace shoal {

/// One strided copy between an input and an output; offsets in elements.
struct element_copy {
  loop_nest nest = loop_nest(2); ///< operands: from, to
  std::int64_t from_offset = 0;
  std::int64_t to_offset = 0;
  std::size_t input = 0;
  std::size_t output = 0;
};

struct copy_plan {
  std::vector<element_copy> copies; ///< together they write every output element once
  kernel_traits traits = {};
};

/// A kernel that carries out `plan` by the fast copy or by the reference.
std::unique_ptr<kernel> cpu_copy_kernel(copy_plan plan, dtype type);
std::unique_ptr<kernel> reference_copy_kernel(copy_plan plan, dtype type);

/// The kernels of an operator whose `Plan` says what to copy.
template <copy_plan (*Plan)(const prepare_context&)>
inline constexpr kernel_entry copy_kernels[] = {
    {"cpu",
     [](const prepare_context& c) -> result<std::unique_ptr<kernel>> {
       return cpu_copy_kernel(Plan(c), c.type(0));
     }},
    {"reference", [](const prepare_context& c) -> result<std::unique_ptr<kernel>> {
       return reference_copy_kernel(Plan(c), c.type(0));
     }}};

} // namespace shoal
