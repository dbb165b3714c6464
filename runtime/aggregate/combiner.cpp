#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/base/fail.hpp"

namespace shoal {

result<void> same_type_combiner::check(const tensor_type& type) const {
  if (!type_) return check_first(type);
  if (type == *type_) return {};
  return fail(errc::invalid_argument, "got {}, expected {} as member '{}' gave", to_string(type),
              to_string(*type_), first_);
}

result<void> same_type_combiner::fold(const member_output& one) {
  if (!type_) {
    type_ = one.value.type();
    first_ = one.member;
    SHOAL_CHECK(begin(*type_));
  }
  ++folded_;
  return add(one);
}

result<void> check_numeric(combine_way way, const tensor_type& type) {
  if (type.type != dtype::boolean) return {};
  return fail(errc::invalid_argument,
              "{} computes with numbers, got {}; majority_vote, max and min take booleans",
              to_string(way), to_string(type));
}

result<std::unique_ptr<combiner>> make_combiner(const combination& how) {
  SHOAL_CHECK(check_combination(how));
  switch (how.way) {
  case combine_way::sum:
  case combine_way::mean:
  case combine_way::weighted_mean:
    return make_sum_combiner(how);
  case combine_way::max:
  case combine_way::min:
    return make_extremum_combiner(how);
  case combine_way::median:
  case combine_way::trimmed_mean:
    return make_ranked_combiner(how);
  case combine_way::majority_vote:
    return make_majority_combiner(how);
  case combine_way::log_mean:
  case combine_way::soft_vote:
    return make_probability_combiner(how);
  case combine_way::concatenation:
    return make_concatenation(how);
  case combine_way::function:
  case combine_way::graph:
    break;
  }
  return make_custom_combiner(how);
}

} // namespace shoal
