#pragma once

#include "kernels/fourier.hpp"
#include "runtime/operators/operator.hpp"

/// What DFT and STFT have in common.
namespace shoal::rules {

/// Longer transforms are refused: their tables would take gigabytes.
inline constexpr std::int64_t longest_transform = std::int64_t{1} << 26;

/// Whether `length` is that of a transform that Shoal does.
result<void> check_transform_length(const node_context& c, std::int64_t length);

/// 5 n log2 n operations each, however they are computed.
operator_cost fourier_cost(const node_context& c, const fourier_problem& p,
                           std::span<const tensor_type> outputs);

result<std::unique_ptr<kernel>> prepare_fft(const prepare_context& c, const fourier_problem& p);
result<std::unique_ptr<kernel>> prepare_fourier_reference(const fourier_problem& p);

/// The kernels of an operator whose `Problem` says what to transform.
template <result<fourier_problem> (*Problem)(const node_context&)>
inline constexpr kernel_entry fourier_kernels[] = {
    {"fft",
     [](const prepare_context& c) -> result<std::unique_ptr<kernel>> {
       SHOAL_TRY(const auto p, Problem(c));
       return prepare_fft(c, p);
     }},
    {"reference", [](const prepare_context& c) -> result<std::unique_ptr<kernel>> {
       SHOAL_TRY(const auto p, Problem(c));
       return prepare_fourier_reference(p);
     }}};

} // namespace shoal::rules
