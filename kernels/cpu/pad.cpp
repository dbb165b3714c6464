#include "kernels/cpu/pad.hpp"

#include "kernels/cpu/parallel.hpp"

#include <cstring>

namespace shoal::kernels {
namespace {

/// The longest stretch of a table that only shifts: out[first ..] = in[table[first] ..].
struct stretch {
  std::int64_t first = 0, count = 0;
};

stretch longest_stretch(const std::vector<std::int64_t>& table) {
  stretch best;
  const auto size = static_cast<std::int64_t>(table.size());
  for (std::int64_t i = 0; i < size;) {
    std::int64_t end = i + 1;
    const auto start = table[static_cast<std::size_t>(i)];
    while (end < size && start >= 0 && table[static_cast<std::size_t>(end)] == start + end - i)
      ++end;
    if (start >= 0 && end - i > best.count) best = {i, end - i};
    i = end;
  }
  return best;
}

/// Where the row begins of which row `row` of the output is made; -1 if it holds the constant
/// alone.
std::int64_t source_row(const pad_tables& tables, std::int64_t row) {
  std::int64_t at = 0, step = tables.in[tables.in.rank() - 1];
  for (int axis = tables.out.rank() - 2; axis >= 0; --axis) {
    const auto source = tables.source[static_cast<std::size_t>(axis)]
                                     [static_cast<std::size_t>(row % tables.out[axis])];
    if (source < 0) return -1;
    at += source * step;
    step *= tables.in[axis];
    row /= tables.out[axis];
  }
  return at;
}

template <class T>
void run(const pad_tables& tables, const T* in, T value, T* out) {
  const auto& table = tables.source.back();
  const auto width = static_cast<std::int64_t>(table.size());
  if (width == 0) return;
  const auto whole = longest_stretch(table);
  const auto take = [&](const T* from, T* to, std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) {
      const auto source = table[static_cast<std::size_t>(i)];
      to[i] = source < 0 ? value : from[source];
    }
  };
  const auto rows = tables.out.element_count(0, tables.out.rank() - 1);
  parallel_pieces(rows, parallel_threshold / width, [&](auto first, auto last) {
    for (auto row = first; row < last; ++row) {
      T* to = out + row * width;
      const auto start = source_row(tables, row);
      if (start < 0) {
        std::fill_n(to, width, value);
        continue;
      }
      take(in + start, to, 0, whole.first);
      if (whole.count > 0)
        std::memcpy(to + whole.first, in + start + table[static_cast<std::size_t>(whole.first)],
                    static_cast<std::size_t>(whole.count) * sizeof(T));
      take(in + start, to, whole.first + whole.count, width);
    }
  });
}

} // namespace

void pad(std::size_t size, const pad_tables& tables, const void* in, const void* value, void* out) {
  const auto with = [&]<class T>(T one) {
    std::memcpy(&one, value, sizeof one);
    run(tables, static_cast<const T*>(in), one, static_cast<T*>(out));
  };
  size == 8   ? with(std::uint64_t{})
  : size == 4 ? with(std::uint32_t{})
  : size == 2 ? with(std::uint16_t{})
              : with(std::uint8_t{});
}

} // namespace shoal::kernels
