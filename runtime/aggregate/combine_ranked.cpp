#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/aggregate/element_order.hpp"
#include "runtime/aggregate/element_values.hpp"
#include "runtime/aggregate/wide_integer.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// The mean of values in rising order: integers exactly, all others in float64.
template <class T>
T mean_of(std::span<const T> sorted) {
  if constexpr (std::is_integral_v<T>) {
    wide_integer sum = 0;
    for (const auto value : sorted) sum += static_cast<wide_integer>(value);
    return saturated<T>(rounded_quotient(sum, static_cast<wide_integer>(sorted.size())));
  } else {
    if (sorted.size() == 1) return sorted.front(); // whatever it is: also an infinity
    double sum = 0;
    for (const auto value : sorted) sum += static_cast<double>(value);
    const auto mean = sum / static_cast<double>(sorted.size());
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(mean);
    else
      return T(static_cast<float>(mean));
  }
}

/// Median and trimmed mean: both are the mean of a middle part of the sorted values.
class ranked_combiner final : public same_type_combiner {
 public:
  explicit ranked_combiner(const combination& how) : how_(how) {}

  result<combined_output> finish(std::size_t) override {
    SHOAL_TRY(auto out, tensor::allocate(type()));
    visit_dtype(type().type, [&]<class T>(std::type_identity<T>) {
      if constexpr (!std::is_same_v<T, bool>) rank<T>(out); // those were refused
    });
    return combined_output{std::move(out), {}, spread_.spread()};
  }

 protected:
  result<void> check_first(const tensor_type& type) const override {
    return check_numeric(how_.way, type);
  }
  result<void> begin(const tensor_type&) override { return {}; }
  result<void> add(const member_output& one) override {
    members_.push_back(one.value);
    return one.stands_in ? result<void>() : spread_.fold(one.value);
  }

 private:
  /// How many values are cut off at each end.
  std::size_t cut() const {
    const auto n = members_.size();
    if (how_.way == combine_way::median) return (n - 1) / 2;
    // 0.29 · 100 is a little less than 29 in float64.
    return static_cast<std::size_t>(std::floor(how_.trim * static_cast<double>(n) + 1e-9));
  }

  template <class T>
  void rank(tensor& out) const {
    std::vector<const T*> values;
    for (const auto& member : members_) values.push_back(member.values<T>().data());
    std::vector<T> column(members_.size());
    const auto results = out.mutable_values<T>();
    for (std::size_t i = 0; i < results.size(); ++i) {
      for (std::size_t m = 0; m < column.size(); ++m) column[m] = values[m][i];
      const auto nan = std::ranges::find_if(column, [](T v) { return is_nan(v); });
      if (nan != column.end()) {
        results[i] = *nan;
        continue;
      }
      std::ranges::sort(column, [](T a, T b) { return precedes(a, b); });
      results[i] = mean_of(std::span<const T>(column).subspan(cut(), column.size() - 2 * cut()));
    }
  }

  combination how_;
  std::vector<tensor> members_;
  spread_meter spread_;
};

} // namespace

std::unique_ptr<combiner> make_ranked_combiner(const combination& how) {
  return std::make_unique<ranked_combiner>(how);
}

} // namespace shoal
