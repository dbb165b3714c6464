#include "kernels/cpu/copy.hpp"

#include "kernels/cpu/parallel.hpp"

#include <cstring>

namespace shoal::kernels {
namespace {

/// `count` elements, each operand with its stride.
template <class T>
void copy_row(const T* from, std::int64_t from_step, T* to, std::int64_t to_step,
              std::int64_t count) {
  if (from_step == 1 && to_step == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  } else if (from_step == 0 && to_step == 1) {
    std::fill_n(to, count, *from);
  } else if (to_step == 1) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * from_step];
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i * to_step] = from[i * from_step];
  }
}

template <class T>
void copy_rows(const loop_nest& nest, const T* from, T* to) {
  const int inner = nest.depth() - 1;
  const auto count = nest.extent(inner);
  const auto from_step = nest.stride(0, inner), to_step = nest.stride(1, inner);
  if (inner == 0) {
    parallel_pieces(count, parallel_threshold, [&](auto first, auto last) {
      copy_row(from + first * from_step, from_step, to + first * to_step, to_step, last - first);
    });
    return;
  }
  const auto grain = parallel_threshold / std::max<std::int64_t>(count, 1);
  parallel_pieces(nest.iterations(0, inner), grain, [&](auto first, auto last) {
    loop_position at(nest, inner, first);
    for (auto row = first; row < last; ++row, at.next())
      copy_row(from + at[0], from_step, to + at[1], to_step, count);
  });
}

/// The loop, other than the innermost, along which `from` is contiguous; -1 when there is none.
int contiguous_loop(const loop_nest& nest) {
  for (int loop = nest.depth() - 2; loop >= 0; --loop)
    if (nest.stride(0, loop) == 1) return loop;
  return -1;
}

constexpr std::int64_t tile = 16;

/// One tile of a transposition: rows of `to` are columns of `from`.
template <class T>
void transpose_tile(const T* from, std::int64_t from_step, T* to, std::int64_t to_step,
                    std::int64_t rows, std::int64_t columns) {
  if (rows == tile && columns == tile) {
    T buffer[tile][tile];
    for (std::int64_t c = 0; c < tile; ++c)
      for (std::int64_t r = 0; r < tile; ++r) buffer[r][c] = from[c * from_step + r];
    for (std::int64_t r = 0; r < tile; ++r)
      for (std::int64_t c = 0; c < tile; ++c) to[r * to_step + c] = buffer[r][c];
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) to[r * to_step + c] = from[c * from_step + r];
}

/// `to` is contiguous along the innermost loop, `from` along `across`.
template <class T>
void transpose(const loop_nest& nest, int across, const T* from, T* to) {
  const int inner = nest.depth() - 1;
  loop_nest outer(2);
  for (int loop = 0; loop < inner; ++loop)
    if (loop != across) outer.push(nest.extent(loop), {nest.stride(0, loop), nest.stride(1, loop)});
  const auto rows = nest.extent(across), columns = nest.extent(inner);
  const auto from_step = nest.stride(0, inner), to_step = nest.stride(1, across);
  const auto bands = (rows + tile - 1) / tile;
  const auto grain = parallel_threshold / std::max<std::int64_t>(tile * columns, 1);
  parallel_pieces(outer.iterations() * bands, grain, [&](auto first, auto last) {
    for (auto i = first; i < last; ++i) {
      const loop_position at(outer, outer.depth(), i / bands);
      const auto row = i % bands * tile;
      const T* source = from + at[0] + row;
      T* target = to + at[1] + row * to_step;
      for (std::int64_t column = 0; column < columns; column += tile)
        transpose_tile(source + column * from_step, from_step, target + column, to_step,
                       std::min(tile, rows - row), std::min(tile, columns - column));
    }
  });
}

/// `Ways` rows of `from`, `from_step` apart, woven into one of `to`.
template <int Ways, class T>
void weave_row(const T* __restrict from, std::int64_t from_step, T* __restrict to,
               std::int64_t count) {
  const T* second = from + from_step;
  const T* third = second + (Ways > 2 ? from_step : 0);
  const T* fourth = third + (Ways > 3 ? from_step : 0);
  for (std::int64_t i = 0; i < count; ++i) {
    to[i * Ways] = from[i];
    to[i * Ways + 1] = second[i];
    if constexpr (Ways > 2) to[i * Ways + 2] = third[i];
    if constexpr (Ways > 3) to[i * Ways + 3] = fourth[i];
  }
}

/// Whether the two innermost loops weave a few rows, as DepthToSpace does.
bool weaves(const loop_nest& nest, int across) {
  const int inner = nest.depth() - 1;
  const auto ways = nest.extent(inner);
  return across == inner - 1 && ways >= 2 && ways <= 4 && nest.stride(1, inner) == 1 &&
         nest.stride(1, across) == ways;
}

template <class T>
void weave(const loop_nest& nest, const T* from, T* to) {
  const int inner = nest.depth() - 1, across = inner - 1;
  const auto ways = nest.extent(inner), count = nest.extent(across);
  const auto from_step = nest.stride(0, inner);
  const auto row = ways == 2 ? weave_row<2, T> : ways == 3 ? weave_row<3, T> : weave_row<4, T>;
  const auto grain = parallel_threshold / std::max<std::int64_t>(count * ways, 1);
  parallel_pieces(nest.iterations(0, across), grain, [&](auto first, auto last) {
    loop_position at(nest, across, first);
    for (auto i = first; i < last; ++i, at.next()) row(from + at[0], from_step, to + at[1], count);
  });
}

/// The same copies with loop `innermost` moved to the end.
loop_nest with_innermost(const loop_nest& nest, int innermost) {
  loop_nest moved(2);
  for (int loop = 0; loop < nest.depth(); ++loop)
    if (loop != innermost)
      moved.push(nest.extent(loop), {nest.stride(0, loop), nest.stride(1, loop)});
  moved.push(nest.extent(innermost), {nest.stride(0, innermost), nest.stride(1, innermost)});
  return moved;
}

template <class T>
void run(const loop_nest& nest, const T* from, T* to) {
  const int inner = nest.depth() - 1;
  const bool strided = nest.stride(0, inner) > 1 && nest.stride(1, inner) == 1;
  const int across = strided ? contiguous_loop(nest) : -1;
  if (across < 0)
    copy_rows(nest, from, to);
  else if (weaves(nest, across))
    weave(nest, from, to);
  else if (nest.extent(inner) >= tile / 2 && nest.extent(across) >= tile / 2)
    transpose(nest, across, from, to);
  else if (nest.extent(across) > nest.extent(inner))
    copy_rows(with_innermost(nest, across), from, to);
  else
    copy_rows(nest, from, to);
}

} // namespace

void copy(std::size_t size, const loop_nest& nest, const void* from, void* to) {
  if (nest.iterations() == 0) return;
  const auto with = [&]<class T>(T) {
    run(nest, static_cast<const T*>(from), static_cast<T*>(to));
  };
  size == 8   ? with(std::uint64_t{})
  : size == 4 ? with(std::uint32_t{})
  : size == 2 ? with(std::uint16_t{})
              : with(std::uint8_t{});
}

} // namespace shoal::kernels
