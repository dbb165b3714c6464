#include "runtime/operators/by_values.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace shoal::operators {
namespace {

/// Entries along one axis, each a row of elements that need not lie together.
class entries {
 public:
  entries(const tensor& values, const shape& dims, int axis)
      : values_(values), outer_(dims.element_count(0, axis)), count_(dims[axis]),
        inner_(dims.element_count(axis + 1, dims.rank())) {}

  std::int64_t count() const { return count_; }

  /// Negative, 0 or positive as entry `a` comes before `b`, is equal or comes behind.
  int compare(std::int64_t a, std::int64_t b) const {
    int order = 0;
    visit_dtype(values_.element_type(), [&]<class T>(std::type_identity<T>) {
      const auto* all = reinterpret_cast<const T*>(values_.data());
      for (std::int64_t o = 0; o < outer_ && order == 0; ++o)
        for (std::int64_t i = 0; i < inner_ && order == 0; ++i)
          order = order_of(all[(o * count_ + a) * inner_ + i], all[(o * count_ + b) * inner_ + i]);
    });
    return order;
  }

  result<tensor> take(const std::vector<std::int64_t>& chosen, shape dims, int axis) const {
    dims[axis] = static_cast<std::int64_t>(chosen.size());
    SHOAL_TRY(auto out, tensor::allocate({values_.element_type(), dims}));
    const auto bytes = static_cast<std::size_t>(inner_) * size_of(values_.element_type());
    auto* to = out.mutable_data();
    for (std::int64_t o = 0; o < outer_; ++o)
      for (const auto i : chosen) {
        std::memcpy(to, values_.data() + static_cast<std::size_t>(o * count_ + i) * bytes, bytes);
        to += bytes;
      }
    return out;
  }

 private:
  /// Not a number comes behind every number, so that the order is one.
  template <class T>
  static int order_of(T a, T b) {
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>) {
      return order_of(static_cast<float>(a), static_cast<float>(b));
    } else {
      const bool no_a = a != a, no_b = b != b;
      if (no_a || no_b) return static_cast<int>(no_a) - static_cast<int>(no_b);
      return static_cast<int>(a > b) - static_cast<int>(a < b);
    }
  }

  const tensor& values_;
  std::int64_t outer_, count_, inner_;
};

struct groups {
  std::vector<std::int64_t> first;   ///< where each value is first
  std::vector<std::int64_t> inverse; ///< which value each entry has
  std::vector<std::int64_t> counts;
};

/// Groups of equal entries by value, or as they first appear.
groups group(const entries& all, bool sorted) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(all.count()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return all.compare(a, b) < 0; });
  groups found;
  found.inverse.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || all.compare(order[i - 1], order[i]) != 0) {
      found.first.push_back(order[i]);
      found.counts.push_back(0);
    }
    ++found.counts.back();
    found.inverse[static_cast<std::size_t>(order[i])] =
        static_cast<std::int64_t>(found.first.size()) - 1;
  }
  if (sorted) return found;
  std::vector<std::int64_t> by_place(found.first.size()), rank(found.first.size());
  std::iota(by_place.begin(), by_place.end(), 0);
  const auto at = [](auto& values, std::int64_t i) -> auto& {
    return values[static_cast<std::size_t>(i)];
  };
  std::sort(by_place.begin(), by_place.end(),
            [&](auto a, auto b) { return at(found.first, a) < at(found.first, b); });
  groups placed;
  for (const auto g : by_place) {
    at(rank, g) = static_cast<std::int64_t>(placed.first.size());
    placed.first.push_back(at(found.first, g));
    placed.counts.push_back(at(found.counts, g));
  }
  for (const auto g : found.inverse) placed.inverse.push_back(at(rank, g));
  return placed;
}

tensor vector_of(const std::vector<std::int64_t>& values) {
  return tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

result<std::vector<tensor>> evaluate(const node_context& c) {
  SHOAL_CHECK(by_values::expect(c));
  SHOAL_TRY(const auto listed, by_values::axis_or_row(c));
  const auto& [dims, axis] = listed;
  const entries all(*c.inputs[0].constant, dims, axis);
  const auto found = group(all, c.attrs().get_int("sorted", 1) != 0);
  SHOAL_TRY(auto values, all.take(found.first, dims, axis));
  return std::vector{std::move(values), vector_of(found.first), vector_of(found.inverse),
                     vector_of(found.counts)};
}

} // namespace

const operator_def unique{.name = "Unique",
                          .first_opset = 11,
                          .max_outputs = 4,
                          .infer = by_values::infer<evaluate>,
                          .evaluate = evaluate};

} // namespace shoal::operators
