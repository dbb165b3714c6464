#include "kernels/cpu/attention.hpp"

#include "kernels/cpu/dot.hpp"
#include "kernels/cpu/math.hpp"
#include "kernels/cpu/numbered_pieces.hpp"
#include "kernels/cpu/tile_product.hpp"

#include <algorithm>
#include <limits>

namespace shoal::kernels {
namespace {

/// Queries taken at once: the scores of one key lie side by side.
constexpr std::int64_t block = 32;
/// With fewer of them than this, products row by row are faster than a block that is mostly empty.
constexpr std::int64_t fewest_in_block = 4;

constexpr float infinity = std::numeric_limits<float>::infinity();

bool by_blocks(const attention_problem& p) {
  return p.queries >= fewest_in_block;
}

std::int64_t scratch_per_thread(const attention_problem& p) {
  if (!by_blocks(p)) return (p.keys + 15) / 16 * 16;
  return block * (p.size + p.keys + 1);
}

/// One block of the queries of one head.
struct query_block {
  std::int64_t b, h, first, count;
  std::int64_t width; ///< columns computed: `count` or a few more
};

/// to[i * block + j] = scale * from[j * row + i] for j < count, 0 behind them.
SHOAL_MULTIVERSION void take_queries(const float* from, std::int64_t row, std::int64_t size,
                                     std::int64_t count, float scale, float* to) {
  constexpr std::int64_t tile = 8;
  for (std::int64_t j = 0; j < block; j += tile) {
    std::int64_t i = 0;
    for (; j + tile <= count && i + tile <= size; i += tile) {
      float buffer[tile][tile];
      for (std::int64_t c = 0; c < tile; ++c)
        for (std::int64_t r = 0; r < tile; ++r) buffer[r][c] = scale * from[(j + c) * row + i + r];
      for (std::int64_t r = 0; r < tile; ++r)
        for (std::int64_t c = 0; c < tile; ++c) to[(i + r) * block + j + c] = buffer[r][c];
    }
    for (; i < size; ++i)
      for (std::int64_t c = j; c < j + tile; ++c)
        to[i * block + c] = c < count ? scale * from[c * row + i] : 0.0f;
  }
}

/// Adds what the mask says about the queries of a block.
SHOAL_MULTIVERSION void add_mask(const attention_problem& p, const attention_mask& mask,
                                 const query_block& q, float* scores) {
  const bool added = mask.added != nullptr;
  const bool others = mask.lengths != nullptr || mask.seen != nullptr;
  const bool same_for_all =
      (!added || mask.added_row == 0) && (mask.seen == nullptr || mask.seen_row == 0);
  const auto* rows =
      added ? mask.added + q.b * mask.added_batch + q.h * mask.added_head + q.first * mask.added_row
            : nullptr;
  for (std::int64_t t = 0; (added || others) && t < p.keys; ++t) {
    auto* of_key = scores + t * block;
    if (same_for_all) {
      const float same = mask.at(q.b, q.h, q.first, t);
      for (std::int64_t j = 0; j < block; ++j) of_key[j] += same;
    } else if (!others) {
      const auto* of_row = rows + t * mask.added_key;
      for (std::int64_t j = 0; j < q.count; ++j) of_key[j] += of_row[j * mask.added_row];
    } else {
      for (std::int64_t j = 0; j < q.count; ++j) of_key[j] += mask.at(q.b, q.h, q.first + j, t);
    }
  }
  for (std::int64_t j = 0; mask.causal && j < q.count; ++j)
    for (auto t = p.keys_seen(mask, q.first + j); t < p.keys; ++t)
      scores[t * block + j] = -infinity;
}

/// The weights of every column of scores but for their sum, whose inverses go to `inverse`.
SHOAL_MULTIVERSION void exponentials(float* scores, std::int64_t keys, std::int64_t width,
                                     float* inverse) {
  constexpr std::int64_t lanes = 16;
  for (std::int64_t j = 0; j < width; j += lanes) {
    float largest[lanes], sum[lanes] = {};
    std::fill_n(largest, lanes, -infinity);
    auto* column = scores + j;
    for (std::int64_t t = 0; t < keys; ++t)
      for (std::int64_t i = 0; i < lanes; ++i)
        largest[i] = column[t * block + i] > largest[i] ? column[t * block + i] : largest[i];
    for (std::int64_t t = 0; t < keys; ++t)
      for (std::int64_t i = 0; i < lanes; ++i) {
        const float e = math::exp_of_negative(column[t * block + i] - largest[i]);
        column[t * block + i] = e;
        sum[i] += e;
      }
    for (std::int64_t i = 0; i < lanes; ++i) inverse[j + i] = 1.0f / sum[i];
  }
}

SHOAL_MULTIVERSION void scale_rows(float* y, std::int64_t row, std::int64_t count,
                                   std::int64_t size, const float* factors) {
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t i = 0; i < size; ++i) y[j * row + i] *= factors[j];
}

void attend(const attention_problem& p, const attention_mask& mask, const query_block& of,
            const float* q, const float* k, const float* v, float* scratch, float* y) {
  auto *queries = scratch, *scores = queries + block * p.size, *inverse = scores + block * p.keys;
  take_queries(p.q.at(q, of.b, of.h, of.first), p.q.row, p.size, of.count, p.scale, queries);
  tile_product({.rows = p.keys,
                .columns = of.width,
                .length = p.size,
                .a = p.k.at(k, of.b, of.h),
                .a_row = p.k.row,
                .b = queries,
                .b_row = block,
                .y = scores,
                .y_row = block});
  add_mask(p, mask, of, scores);
  exponentials(scores, p.keys, of.width, inverse);
  for (std::int64_t j = 0; j < of.count; ++j)
    if (p.keys_seen(mask, of.first + j) == 0) {
      inverse[j] = 0; // and not 0 / 0
      for (std::int64_t t = 0; t < p.keys; ++t) scores[t * block + j] = 0;
    }
  auto* result = p.y_at(y, of.b, of.h, of.first);
  tile_product({.rows = of.count,
                .columns = p.value_size,
                .length = p.keys,
                .a = scores,
                .a_row = 1,
                .a_step = block,
                .b = p.v.at(v, of.b, of.h),
                .b_row = p.v.row,
                .y = result,
                .y_row = p.y_row()});
  scale_rows(result, p.y_row(), of.count, p.value_size, inverse);
}

/// Softmax weights of `n` scores, not yet divided by their sum, which is returned.
SHOAL_INLINE float exponentials(float* scores, std::int64_t n) {
  float highest = -infinity;
  for (std::int64_t t = 0; t < n; ++t) highest = scores[t] > highest ? scores[t] : highest;
  for (std::int64_t t = 0; t < n; ++t) scores[t] = math::exp_of_negative(scores[t] - highest);
  float total = 0;
  for (std::int64_t t = 0; t < n; ++t) total += scores[t];
  return total;
}

/// One query of one head; `scores` holds what the mask adds.
SHOAL_MULTIVERSION void attend_one(const attention_problem& p, std::int64_t keys, const float* q,
                                   const float* k, const float* v, float* scores, float* y) {
  for (std::int64_t t = 0; t < keys; ++t) scores[t] += p.scale * dot(q, k + t * p.k.row, p.size);
  const float total = exponentials(scores, keys);
  std::fill_n(y, p.value_size, 0.0f);
  for (std::int64_t t = 0; t < keys; ++t) {
    const float weight = scores[t] / total;
    const auto* row = v + t * p.v.row;
    for (std::int64_t i = 0; i < p.value_size; ++i) y[i] += weight * row[i];
  }
}

} // namespace

std::int64_t attention_scratch(const attention_problem& p, int threads) {
  return scratch_per_thread(p) * threads;
}

void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scratch, float* y) {
  const bool blocked = by_blocks(p);
  const auto step = blocked ? block : 1, blocks = (p.queries + step - 1) / step;
  const auto work = step * p.keys * (p.size + p.value_size);
  const auto grain = parallel_threshold / std::max<std::int64_t>(work, 1);
  const auto pieces = p.batch * p.heads * blocks;
  numbered_pieces(pieces, grain, [&](std::int64_t first, std::int64_t last, int thread) {
    auto* own = scratch + thread * scratch_per_thread(p);
    for (auto piece = first; piece < last; ++piece) {
      const auto b = piece / blocks / p.heads, h = piece / blocks % p.heads;
      const auto s = piece % blocks * step;
      if (blocked) {
        const auto count = std::min(block, p.queries - s);
        attend(p, mask, {b, h, s, count, (count + 15) / 16 * 16}, q, k, v, own, y);
        continue;
      }
      const auto keys = p.keys_seen(mask, s);
      for (std::int64_t t = 0; t < keys; ++t) own[t] = mask.at(b, h, s, t);
      attend_one(p, keys, p.q.at(q, b, h, s), p.k.at(k, b, h), p.v.at(v, b, h), own,
                 p.y_at(y, b, h, s));
    }
  });
}

} // namespace shoal::kernels
