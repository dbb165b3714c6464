#include "kernels/reference/einsum.hpp"

#include <type_traits>

namespace shoal::reference {
namespace {

/// Offsets of an iteration of the loops [first, last), in row-major order.
std::int64_t offset_of(const einsum_loops& loops, const einsum_strides& strides, std::size_t first,
                       std::size_t last, std::int64_t iteration) {
  std::int64_t offset = 0;
  for (auto label = last; label-- > first;) {
    offset += iteration % loops.extent[label] * strides[label];
    iteration /= loops.extent[label];
  }
  return offset;
}

template <class T>
using sum_type = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <class T>
T finished(sum_type<T> sum) {
  if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
    return T(static_cast<float>(sum));
  else
    return static_cast<T>(sum);
}

} // namespace

void einsum(const einsum_loops& loops, std::span<const einsum_strides> strides,
            std::span<const const_view> inputs, const view& out) {
  std::int64_t terms = 1;
  for (auto label = loops.output_labels; label < loops.labels; ++label)
    terms *= loops.extent[label];
  visit_dtype(out.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t o = 0; o < out.element_count(); ++o) {
      sum_type<T> sum = 0;
      for (std::int64_t term = 0; term < terms; ++term) {
        sum_type<T> product = 1;
        for (std::size_t i = 0; i < inputs.size(); ++i)
          product *= static_cast<sum_type<T>>(
              inputs[i]
                  .as<T>()[offset_of(loops, strides[i], 0, loops.output_labels, o) +
                           offset_of(loops, strides[i], loops.output_labels, loops.labels, term)]);
        sum += product;
      }
      out.as<T>()[o] = finished<T>(sum);
    }
  });
}

} // namespace shoal::reference
