#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/aggregate/element_values.hpp"
#include "runtime/aggregate/wide_integer.hpp"
#include "runtime/base/fail.hpp"

#include <array>
#include <cstring>

namespace shoal {
namespace {

/// Sum, mean and weighted mean in float64.
class floating_sum final : public same_type_combiner {
 public:
  explicit floating_sum(combine_way way) : way_(way) {}

  result<combined_output> finish(std::size_t planned) override {
    SHOAL_TRY(auto out, tensor::allocate(type()));
    const auto count = static_cast<double>(folded());
    const double factor = way_ == combine_way::sum ? static_cast<double>(planned) : 1;
    const double divisor = way_ == combine_way::weighted_mean ? weights_ : count;
    const bool as_is = way_ == combine_way::sum && planned == folded();
    auto sums = sums_.mutable_values<double>();
    if (!as_is)
      for (auto& sum : sums) sum = sum * factor / divisor;
    write_elements(sums, out, 0);
    return combined_output{std::move(out), {}, spread_.spread()};
  }

 protected:
  result<void> check_first(const tensor_type& type) const override {
    return check_numeric(way_, type);
  }
  result<void> begin(const tensor_type& type) override {
    SHOAL_TRY(sums_, zeros_f64(type.dims));
    return {};
  }
  result<void> add(const member_output& one) override {
    const double weight = way_ == combine_way::weighted_mean ? one.weight : 1;
    weights_ += weight;
    auto* sums = sums_.mutable_values<double>().data();
    for_each_piece(one.value.element_count(), [&](std::int64_t first, std::size_t count) {
      std::array<double, piece_elements> piece;
      read_elements(one.value, first, {piece.data(), count});
      for (std::size_t i = 0; i < count; ++i)
        sums[first + static_cast<std::int64_t>(i)] += weight * piece[i];
    });
    return one.stands_in ? result<void>() : spread_.fold(one.value);
  }

 private:
  combine_way way_;
  double weights_ = 0;
  tensor sums_;
  spread_meter spread_;
};

/// Sum and mean of integers, exact until the one rounding at the end.
class integer_sum final : public same_type_combiner {
 public:
  explicit integer_sum(combine_way way) : way_(way) {}

  result<combined_output> finish(std::size_t planned) override {
    SHOAL_TRY(auto out, tensor::allocate(type()));
    const auto factor = static_cast<wide_integer>(way_ == combine_way::sum ? planned : 1);
    const auto divisor = static_cast<wide_integer>(folded());
    visit_dtype(type().type, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_integral_v<T>) {
        const auto values = out.mutable_values<T>();
        for (std::size_t i = 0; i < values.size(); ++i)
          values[i] = saturated<T>(rounded_quotient(sums()[i] * factor, divisor));
      }
    });
    return combined_output{std::move(out), {}, spread_.spread()};
  }

 protected:
  result<void> check_first(const tensor_type& type) const override {
    return check_numeric(way_, type);
  }
  result<void> begin(const tensor_type& type) override {
    const auto bytes = static_cast<std::size_t>(type.dims.element_count()) * sizeof(wide_integer);
    sums_ = allocate_storage(bytes);
    if (!sums_) return fail(errc::resource_exhausted, "no memory for a sum of {} bytes", bytes);
    if (bytes > 0) std::memset(sums_->data(), 0, bytes);
    return {};
  }
  result<void> add(const member_output& one) override {
    visit_dtype(type().type, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_integral_v<T>) {
        const auto values = one.value.values<T>();
        for (std::size_t i = 0; i < values.size(); ++i)
          sums()[i] += static_cast<wide_integer>(values[i]);
      }
    });
    return one.stands_in ? result<void>() : spread_.fold(one.value);
  }

 private:
  wide_integer* sums() { return reinterpret_cast<wide_integer*>(sums_->data()); }

  combine_way way_;
  storage_ptr sums_;
  spread_meter spread_;
};

/// Integers or not: that is known when the first member is there.
class sum_combiner final : public combiner {
 public:
  explicit sum_combiner(combine_way way) : way_(way) {}

  result<void> check(const tensor_type& type) const override {
    return inner_ ? inner_->check(type) : check_numeric(way_, type);
  }
  result<void> fold(const member_output& one) override {
    if (!inner_) {
      if (is_floating(one.value.element_type()) || way_ == combine_way::weighted_mean)
        inner_ = std::make_unique<floating_sum>(way_);
      else
        inner_ = std::make_unique<integer_sum>(way_);
    }
    return inner_->fold(one);
  }
  result<combined_output> finish(std::size_t planned) override { return inner_->finish(planned); }

 private:
  combine_way way_;
  std::unique_ptr<combiner> inner_;
};

} // namespace

std::unique_ptr<combiner> make_sum_combiner(const combination& how) {
  return std::make_unique<sum_combiner>(how.way);
}

} // namespace shoal
