#include "runtime/operators/fourier_rules.hpp"

#include "kernels/cpu/fourier.hpp"
#include "kernels/reference/fourier.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/window_rules.hpp"

#include <cmath>

namespace shoal::rules {

result<void> check_transform_length(const node_context& c, std::int64_t length) {
  if (length >= 1 && length <= longest_transform) return {};
  return arguments::refuse(c, errc::invalid_argument,
                           "a transform of {} elements; 1 to {} are supported", length,
                           longest_transform);
}

operator_cost fourier_cost(const node_context& c, const fourier_problem& p,
                           std::span<const tensor_type> outputs) {
  const auto n = static_cast<double>(p.length);
  return {5 * n * std::log2(n + 1) * static_cast<double>(p.outer) * static_cast<double>(p.inner),
          operand_bytes(c, outputs)};
}

result<std::unique_ptr<kernel>> prepare_fft(const prepare_context& c, const fourier_problem& p) {
  return kernels::make_fourier(p, c.type(0), c.threads);
}

result<std::unique_ptr<kernel>> prepare_fourier_reference(const fourier_problem& p) {
  return function_kernel([p](const kernel_io& io) { reference::fourier(p, io); });
}

} // namespace shoal::rules
