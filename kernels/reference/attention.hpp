#pragma once

#include <cstdint>

namespace shoal {

/// What is added to the product of query `s` and key `t` before the softmax.
struct attention_mask {
  const std::int32_t* lengths = nullptr; ///< per batch entry: keys from here on are masked
  const std::int32_t* seen = nullptr;    ///< 0: masked; strides by batch entry and query
  std::int64_t seen_batch = 0, seen_row = 0;
  const float* added = nullptr; ///< strides by batch entry, head and query
  std::int64_t added_batch = 0, added_head = 0, added_row = 0;
  float masked = -10000;
  bool causal = false; ///< keys behind the query do not count at all

  float at(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t t) const {
    float sum = 0;
    if (lengths != nullptr && t >= lengths[b]) sum += masked;
    if (seen != nullptr && seen[b * seen_batch + s * seen_row + t] == 0) sum += masked;
    if (added != nullptr) sum += added[b * added_batch + h * added_head + s * added_row + t];
    return sum;
  }
};

/// Scaled dot-product attention of float32. Queries, keys, values and the result are rows: element
/// (batch b, row s, head h, i) lies at (b * rows + s) * stride + h * size + i.
struct attention_problem {
  std::int64_t batch = 1, heads = 1, queries = 0, keys = 0;
  std::int64_t size = 0;       ///< of a head of queries and keys
  std::int64_t value_size = 0; ///< of a head of values and the result
  std::int64_t query_stride = 0, key_stride = 0, value_stride = 0;
  float scale = 1;
};

} // namespace shoal

namespace shoal::reference {

/// y[b,s,h] = sum over t of softmax over t(scale * <q[b,s,h], k[b,t,h]> + mask) * v[b,t,h], in
/// double. Rows of y follow each other. `scores` has room for `keys` floats per batch entry and
/// head.
void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scores, float* y);

} // namespace shoal::reference
