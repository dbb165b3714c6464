#pragma once

#include "runtime/aggregate/combiner.hpp"
#include "runtime/aggregate/element_values.hpp"
#include "tests/support/model_builder.hpp"

#include <string>
#include <vector>

namespace shoal::test {

inline constexpr const char* member_names[] = {"a", "b", "c", "d", "e", "f", "g"};

/// Values in [-8, 8), rounded to `type`.
inline tensor random_tensor(random_numbers& numbers, dtype type, const shape& dims) {
  auto out = *tensor::allocate({type, dims});
  std::vector<double> values(static_cast<std::size_t>(out.element_count()));
  for (auto& v : values) v = static_cast<double>(numbers.uniform(-8, 8));
  write_elements(values, out, 0);
  return out;
}

inline std::vector<double> values_of(const tensor& t) {
  std::vector<double> out(static_cast<std::size_t>(t.element_count()));
  read_elements(t, 0, out);
  return out;
}

/// The answer of members that have these values and weights.
inline result<combined_output> combine(const combination& how, const std::vector<tensor>& members,
                                       const std::vector<double>& weights = {},
                                       std::size_t planned = 0) {
  SHOAL_TRY(const auto made, make_combiner(how));
  for (std::size_t m = 0; m < members.size(); ++m) {
    SHOAL_CHECK(made->check(members[m].type()));
    SHOAL_CHECK(made->fold({member_names[m], weights.empty() ? 1 : weights[m], members[m]}));
  }
  return made->finish(planned == 0 ? members.size() : planned);
}

} // namespace shoal::test
