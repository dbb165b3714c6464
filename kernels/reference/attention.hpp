#pragma once

#include <algorithm>
#include <cstdint>

namespace shoal {

/// What is added to the product of query `s` and key `t` before the softmax.
struct attention_mask {
  const std::int32_t* lengths = nullptr; ///< per batch entry: keys from here on are masked
  const std::int32_t* seen = nullptr;    ///< 0: masked; strides by batch entry and query
  std::int64_t seen_batch = 0, seen_row = 0;
  const float* added = nullptr; ///< strides by batch entry, head, query and key
  std::int64_t added_batch = 0, added_head = 0, added_row = 0, added_key = 1;
  float masked = -10000;
  bool causal = false; ///< keys behind the query do not count at all

  float at(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t t) const {
    float sum = 0;
    if (lengths != nullptr && t >= lengths[b]) sum += masked;
    if (seen != nullptr && seen[b * seen_batch + s * seen_row + t] == 0) sum += masked;
    if (added != nullptr)
      sum += added[b * added_batch + h * added_head + s * added_row + t * added_key];
    return sum;
  }
};

/// Where element i of row s of head h of batch entry b lies: at b * batch + h * head + s * row + i.
/// A stride of 0 repeats what is there.
struct attention_operand {
  std::int64_t batch = 0, head = 0, row = 0;

  const float* at(const float* data, std::int64_t b, std::int64_t h, std::int64_t s = 0) const {
    return data + b * batch + h * head + s * row;
  }
};

/// Scaled dot-product attention of float32. The result is dense, its axes batch, row, head, i.
struct attention_problem {
  std::int64_t batch = 1, heads = 1, queries = 0, keys = 0;
  std::int64_t size = 0;       ///< of a head of queries and keys
  std::int64_t value_size = 0; ///< of a head of values and the result
  attention_operand q, k, v;
  float scale = 1;

  std::int64_t y_row() const { return heads * value_size; }
  float* y_at(float* y, std::int64_t b, std::int64_t h, std::int64_t s) const {
    return y + (b * queries + s) * y_row() + h * value_size;
  }
  /// Keys that query `s` sees: all, or, if the mask is causal, those up to its own, the last query
  /// up to the last.
  std::int64_t keys_seen(const attention_mask& mask, std::int64_t s) const {
    return mask.causal ? std::clamp<std::int64_t>(s + 1 + keys - queries, 0, keys) : keys;
  }
};

} // namespace shoal

namespace shoal::reference {

/// y[b,s,h] = sum over t of softmax over t(scale * <q[b,s,h], k[b,t,h]> + mask) * v[b,t,h], in
/// double. `scratch` has `attention_scratch` floats.
void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scratch, float* y);

/// Whatever the number of threads.
std::int64_t attention_scratch(const attention_problem& p, int threads);

} // namespace shoal::reference
