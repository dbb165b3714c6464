#include "kernels/reference/resize.hpp"

#include "kernels/reference/convert.hpp"

#include <algorithm>

namespace shoal::reference {
namespace {

/// The sum over the taps of the axes from `axis` on, `offset` into the input.
template <class T>
double weighted_sum(std::span<const resize_table> tables, const shape& strides, const shape& index,
                    const T* in, int axis, std::int64_t offset) {
  if (axis == strides.rank()) return convert<double>(in[offset]);
  const auto& table = tables[static_cast<std::size_t>(axis)];
  double sum = 0;
  for (int t = 0; t < table.taps; ++t) {
    const auto at = static_cast<std::size_t>(index[axis] * table.taps + t);
    if (table.weight[at] == 0) continue; // what has no part in it may be infinite
    sum += static_cast<double>(table.weight[at]) *
           weighted_sum(tables, strides, index, in, axis + 1,
                        offset + table.index[at] * strides[axis]);
  }
  return sum;
}

} // namespace

void resize(std::span<const resize_table> tables, double outside, const const_view& in,
            const view& out) {
  const auto strides = in.dims.dense_strides(), to = out.dims.dense_strides();
  const int rank = out.dims.rank();
  const bool copies =
      std::all_of(tables.begin(), tables.end(), [](const auto& table) { return table.taps == 1; });
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    shape index = shape::filled(rank, 0);
    for (std::int64_t i = 0; i < out.element_count(); ++i) {
      std::int64_t offset = 0;
      bool inside = true;
      for (int axis = 0; axis < rank; ++axis) {
        index[axis] = i / to[axis] % out.dims[axis];
        const auto& table = tables[static_cast<std::size_t>(axis)];
        inside = inside && !table.is_outside(index[axis]);
        if (copies) offset += strides[axis] * table.index[static_cast<std::size_t>(index[axis])];
      }
      if (!inside)
        out.as<T>()[i] = convert<T>(outside);
      else
        out.as<T>()[i] = copies
                             ? in.as<T>()[offset]
                             : convert<T>(weighted_sum(tables, strides, index, in.as<T>(), 0, 0));
    }
  });
}

} // namespace shoal::reference
