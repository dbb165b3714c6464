#pragma once

#include "runtime/base/result.hpp"
#include "runtime/tensor/tensor.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace shoal {

/// What one member says to one output of its ensemble.
struct member_output {
  std::string_view member;
  double weight = 1;
  tensor value;           ///< row-major
  bool stands_in = false; ///< a default takes the place of a member that did not answer
};

/// Makes one answer of those of the members, which come in the order of the ensemble and may be
/// fewer than it has. May be called by several threads at once; what it throws becomes an error.
using aggregator_function = std::function<result<tensor>(std::span<const member_output>)>;

/// Makes `combine` known to this process under `name`, for good. Thread-safe. `invalid_argument` if
/// the name is empty or taken, or there is no function.
result<void> register_aggregator(std::string name, aggregator_function combine);

/// Thread-safe. `not_found` lists the names there are.
result<aggregator_function> find_aggregator(std::string_view name);

} // namespace shoal
