#pragma once

#include "runtime/aggregate/combiner.hpp"

namespace shoal {

// One function per file that has combiners; `make_combiner` chooses.

std::unique_ptr<combiner> make_sum_combiner(const combination& how);
std::unique_ptr<combiner> make_extremum_combiner(const combination& how);
std::unique_ptr<combiner> make_ranked_combiner(const combination& how);
std::unique_ptr<combiner> make_majority_combiner(const combination& how);
std::unique_ptr<combiner> make_probability_combiner(const combination& how);
std::unique_ptr<combiner> make_concatenation(const combination& how);
result<std::unique_ptr<combiner>> make_custom_combiner(const combination& how);

/// What ways share whose members all have the same type.
class same_type_combiner : public combiner {
 public:
  result<void> check(const tensor_type& type) const final;
  result<void> fold(const member_output& one) final;

 protected:
  /// What the first member has to be.
  virtual result<void> check_first(const tensor_type& type) const = 0;
  /// Makes ready for members of this type.
  virtual result<void> begin(const tensor_type& type) = 0;
  virtual result<void> add(const member_output& one) = 0;

  const tensor_type& type() const { return *type_; }
  std::size_t folded() const { return folded_; }

 private:
  std::optional<tensor_type> type_;
  std::string first_;
  std::size_t folded_ = 0;
};

/// `invalid_argument` for booleans, which `way` cannot compute with.
result<void> check_numeric(combine_way way, const tensor_type& type);

} // namespace shoal
