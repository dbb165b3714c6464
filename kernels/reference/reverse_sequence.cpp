#include "kernels/reference/reverse_sequence.hpp"

#include "kernels/kernel.hpp"

#include <cstring>
#include <string>

namespace shoal::reference {

void reverse_sequence(int time_axis, const const_view& in, const const_view& lengths,
                      const view& out) {
  const auto inner = in.dims.element_count(2, in.dims.rank());
  const auto times = in.dims[time_axis], batches = in.dims[1 - time_axis];
  const auto slice = static_cast<std::size_t>(inner) * size_of(in.type);
  const auto at = [&](std::int64_t time, std::int64_t batch) {
    return static_cast<std::size_t>(time_axis == 0 ? time * batches + batch
                                                   : batch * times + time) *
           slice;
  };
  for (std::int64_t b = 0; b < batches; ++b) {
    const auto length = lengths.as<std::int64_t>()[b];
    if (length < 0 || length > times)
      throw kernel_error("sequence " + std::to_string(b) + " is " + std::to_string(length) +
                         " long, of " + std::to_string(times) + " steps");
    for (std::int64_t t = 0; slice > 0 && t < times; ++t)
      std::memcpy(out.as<std::byte>() + at(t, b),
                  in.as<std::byte>() + at(t < length ? length - 1 - t : t, b), slice);
  }
}

} // namespace shoal::reference
