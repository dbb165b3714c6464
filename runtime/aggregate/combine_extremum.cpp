#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/aggregate/element_order.hpp"

namespace shoal {
namespace {

class extremum_combiner final : public same_type_combiner {
 public:
  explicit extremum_combiner(combine_way way) : way_(way) {}

  result<combined_output> finish(std::size_t) override {
    combined_output out{std::move(best_), {}, {}};
    if (type().type != dtype::boolean) out.spread = spread_.spread();
    return out;
  }

 protected:
  result<void> check_first(const tensor_type&) const override { return {}; }
  result<void> begin(const tensor_type&) override { return {}; }
  result<void> add(const member_output& one) override {
    if (folded() == 1) {
      SHOAL_TRY(best_, tensor::allocate(type()));
      std::copy_n(one.value.data(), one.value.byte_size(), best_.mutable_data());
    } else {
      take_better(one.value);
    }
    if (one.stands_in || type().type == dtype::boolean) return {};
    return spread_.fold(one.value);
  }

 private:
  void take_better(const tensor& value) {
    visit_dtype(type().type, [&]<class T>(std::type_identity<T>) {
      const auto values = value.values<T>();
      const auto best = best_.mutable_values<T>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (is_nan(best[i])) continue;
        const bool better =
            way_ == combine_way::max ? precedes(best[i], values[i]) : precedes(values[i], best[i]);
        if (better || is_nan(values[i])) best[i] = values[i];
      }
    });
  }

  combine_way way_;
  tensor best_;
  spread_meter spread_;
};

} // namespace

std::unique_ptr<combiner> make_extremum_combiner(const combination& how) {
  return std::make_unique<extremum_combiner>(how.way);
}

} // namespace shoal
