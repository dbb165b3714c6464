#include "kernels/cpu/resize.hpp"

#include "kernels/cpu/numbered_pieces.hpp"
#include "kernels/cpu/simd.hpp"

#include <cstring>

namespace shoal::kernels {
namespace {

/// sum[x] = weighted sum of the rows at `index`.
SHOAL_MULTIVERSION
void sum_rows(const float* plane, const std::int64_t* index, const float* weight, int taps,
              std::int64_t width, float* sum) {
  const float* a = plane + index[0] * width;
  const float* b = plane + index[1] * width;
  if (taps > 4) {
    std::memset(sum, 0, static_cast<std::size_t>(width) * sizeof(float));
    for (int t = 0; t < taps; ++t) {
      const float* row = plane + index[t] * width;
#pragma omp simd
      for (std::int64_t x = 0; x < width; ++x) sum[x] += row[x] * weight[t];
    }
    return;
  }
  if (taps == 2) {
#pragma omp simd
    for (std::int64_t x = 0; x < width; ++x) sum[x] = a[x] * weight[0] + b[x] * weight[1];
    return;
  }
  const float* c = plane + index[2] * width;
  const float* d = plane + index[3] * width;
#pragma omp simd
  for (std::int64_t x = 0; x < width; ++x)
    sum[x] = (a[x] * weight[0] + b[x] * weight[1]) + (c[x] * weight[2] + d[x] * weight[3]);
}

SHOAL_MULTIVERSION
void sum_columns(const float* row, const resize_table& columns, std::int64_t width, float* out) {
  const auto* index = columns.index.data();
  const auto* weight = columns.weight.data();
  if (columns.taps == 1) {
    for (std::int64_t x = 0; x < width; ++x) out[x] = row[index[x]];
  } else if (columns.taps == 2) {
    for (std::int64_t x = 0; x < width; ++x)
      out[x] = row[index[2 * x]] * weight[2 * x] + row[index[2 * x + 1]] * weight[2 * x + 1];
  } else if (columns.taps > 4) {
    for (std::int64_t x = 0; x < width; ++x, index += columns.taps, weight += columns.taps) {
      float sum = 0;
      for (int t = 0; t < columns.taps; ++t) sum += row[index[t]] * weight[t];
      out[x] = sum;
    }
  } else {
    for (std::int64_t x = 0; x < width; ++x, index += 4, weight += 4)
      out[x] = (row[index[0]] * weight[0] + row[index[1]] * weight[1]) +
               (row[index[2]] * weight[2] + row[index[3]] * weight[3]);
  }
}

/// The same where a column is `lanes` floats.
SHOAL_MULTIVERSION
void sum_wide_columns(const float* row, const resize_table& columns, std::int64_t width,
                      std::int64_t lanes, float* out) {
  const auto* index = columns.index.data();
  const auto* weight = columns.weight.data();
  for (std::int64_t x = 0; x < width;
       ++x, out += lanes, index += columns.taps, weight += columns.taps) {
    const float* a = row + index[0] * lanes;
    if (columns.taps == 1) {
      std::memcpy(out, a, static_cast<std::size_t>(lanes) * sizeof(float));
      continue;
    }
    if (columns.taps > 4) {
      std::memset(out, 0, static_cast<std::size_t>(lanes) * sizeof(float));
      for (int t = 0; t < columns.taps; ++t) {
        const float* column = row + index[t] * lanes;
#pragma omp simd
        for (std::int64_t l = 0; l < lanes; ++l) out[l] += column[l] * weight[t];
      }
      continue;
    }
    const float* b = row + index[1] * lanes;
    if (columns.taps == 2) {
#pragma omp simd
      for (std::int64_t l = 0; l < lanes; ++l) out[l] = a[l] * weight[0] + b[l] * weight[1];
      continue;
    }
    const float* c = row + index[2] * lanes;
    const float* d = row + index[3] * lanes;
#pragma omp simd
    for (std::int64_t l = 0; l < lanes; ++l)
      out[l] = (a[l] * weight[0] + b[l] * weight[1]) + (c[l] * weight[2] + d[l] * weight[3]);
  }
}

} // namespace

void resize(const resize_extents& e, const resize_table& rows, const resize_table& columns,
            const float* in, float* out, float* scratch) {
  const auto in_width = e.in_columns * e.lanes, out_width = e.out_columns * e.lanes;
  const auto finish = [&](const float* row, float* to) {
    if (e.lanes == 1)
      sum_columns(row, columns, e.out_columns, to);
    else
      sum_wide_columns(row, columns, e.out_columns, e.lanes, to);
  };
  const auto grain = parallel_threshold / std::max<std::int64_t>(in_width + out_width, 1);
  const auto rows_of_all = e.planes * e.out_rows;
  numbered_pieces(rows_of_all, grain, [&](std::int64_t first, std::int64_t last, int thread) {
    float* sum = scratch + thread * in_width;
    for (auto i = first; i < last; ++i) {
      const auto row = i % e.out_rows;
      const float* plane = in + i / e.out_rows * e.in_rows * in_width;
      float* to = out + i * out_width;
      const auto tap = static_cast<std::size_t>(row * rows.taps);
      if (rows.taps > 1) {
        sum_rows(plane, &rows.index[tap], &rows.weight[tap], rows.taps, in_width, sum);
        finish(sum, to);
      } else if (i > first && row > 0 && rows.index[tap] == rows.index[tap - 1]) {
        std::memcpy(to, to - out_width, static_cast<std::size_t>(out_width) * sizeof(float));
      } else {
        finish(plane + rows.index[tap] * in_width, to);
      }
    }
  });
}

} // namespace shoal::kernels
