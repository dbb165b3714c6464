#include "kernels/reference/matmul.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>

namespace shoal::reference {
namespace {

/// One matrix in memory: element (i, j) lies at i * row + j * column.
struct strides {
  std::int64_t row, column;
};

/// The integer in which sums of T wrap around without undefined behaviour.
template <class T>
using wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

/// The dot product of row i of a and column j of b.
template <class T>
wide<T> dot(const T* a, strides sa, const T* b, strides sb, std::int64_t i, std::int64_t j,
            std::int64_t length) {
  wide<T> sum = 0;
  for (std::int64_t k = 0; k < length; ++k)
    sum += static_cast<wide<T>>(a[i * sa.row + k * sa.column]) *
           static_cast<wide<T>>(b[k * sb.row + j * sb.column]);
  return sum;
}

template <class T>
T narrowed(wide<T> x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(x);
  else
    return rounded<T>(x);
}

/// alpha * product + beta * c; the factors are whole numbers where T is an integer.
template <class T>
T combined(wide<T> product, double alpha, double beta, const T* c) {
  auto sum =
      static_cast<wide<T>>(
          static_cast<std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>(alpha)) *
      product;
  if (c != nullptr)
    sum += static_cast<wide<T>>(
               static_cast<std::conditional_t<std::is_integral_v<T>, std::int64_t, double>>(beta)) *
           static_cast<wide<T>>(*c);
  return narrowed<T>(sum);
}

/// Extents as [batch..., rows, columns], aligned on the right to `rank` axes.
shape aligned(const shape& dims, int rank) {
  shape out = shape::filled(rank, 1);
  for (int i = 0; i < dims.rank(); ++i) out[rank - dims.rank() + i] = dims[i];
  return out;
}

} // namespace

void gemm(const const_view& a, const const_view& b, const const_view& c, const view& y,
          const gemm_options& o) {
  const auto rows = y.dims[0], columns = y.dims[1];
  const auto length = a.dims[o.transpose_a ? 0 : 1];
  const strides sa = o.transpose_a ? strides{1, rows} : strides{length, 1};
  const strides sb = o.transpose_b ? strides{1, length} : strides{columns, 1};
  const shape full = c.data == nullptr ? shape{1, 1} : aligned(c.dims, 2);
  const strides sc{full[0] == 1 ? 0 : full[1], full[1] == 1 ? 0 : 1};
  visit_dtype(y.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        y.as<T>()[i * columns + j] =
            combined<T>(dot(a.as<T>(), sa, b.as<T>(), sb, i, j, length), o.alpha, o.beta,
                        c.data == nullptr ? nullptr : c.as<T>() + i * sc.row + j * sc.column);
  });
}

void matmul(const const_view& a, const const_view& b, const view& y, const gemm_options& o) {
  const bool turn_a = o.transpose_a && a.dims.rank() > 1;
  const bool turn_b = o.transpose_b && b.dims.rank() > 1;
  shape left = a.dims, right = b.dims;
  if (left.rank() == 1) left = {1, left[0]};
  if (right.rank() == 1) right = {right[0], 1};
  const int rank = std::max(left.rank(), right.rank());
  left = aligned(left, rank);
  right = aligned(right, rank);
  const auto rows = left[rank - (turn_a ? 1 : 2)], length = left[rank - (turn_a ? 2 : 1)];
  const auto columns = right[rank - (turn_b ? 2 : 1)];
  const strides sa = turn_a ? strides{1, rows} : strides{length, 1};
  const strides sb = turn_b ? strides{1, length} : strides{columns, 1};
  shape batch = shape::filled(rank - 2, 1);
  for (int i = 0; i < rank - 2; ++i) batch[i] = left[i] == 1 ? right[i] : left[i];
  const auto left_strides = left.dense_strides(), right_strides = right.dense_strides();
  visit_dtype(y.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t n = 0; n < batch.element_count(); ++n) {
      std::int64_t rest = n, at_a = 0, at_b = 0;
      for (int i = rank - 3; i >= 0; --i) {
        const auto index = rest % batch[i];
        rest /= batch[i];
        at_a += left[i] == 1 ? 0 : index * left_strides[i];
        at_b += right[i] == 1 ? 0 : index * right_strides[i];
      }
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
          y.as<T>()[(n * rows + i) * columns + j] =
              combined<T>(dot(a.as<T>() + at_a, sa, b.as<T>() + at_b, sb, i, j, length), o.alpha, 0,
                          static_cast<const T*>(nullptr));
    }
  });
}

} // namespace shoal::reference
