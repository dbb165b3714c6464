#pragma once

#include "tests/support/node_runner.hpp"

#include <string>

/// Properties that hold for every operator, checked by computing. Each returns what is wrong, or
/// nothing: `CHECK(kernels_disagree(test) == "")`.
namespace shoal::test {

/// Runs every kernel that applies, with one and with two threads and with every layout that the
/// producers may write, against the last one, the reference. All runs of one kernel must agree bit
/// by bit: neither threads nor neighbours may change a result. At least one kernel must apply.
std::string kernels_disagree(node_case test, double relative = 1e-5, double absolute = 1e-6);

/// Cuts the inputs in parts of `part` elements, input i along `split[i]` (or not, if `unsplit`),
/// runs the node on each with the first kernel that applies, joins the outputs along the axis that
/// `split_axis` states and compares them, bit by bit, with those of the whole. `expected_axis` is
/// what `split_axis` has to say; if it is nullopt nothing is run.
std::string split_is_wrong(const node_case& test, const std::vector<int>& split,
                           std::optional<int> expected_axis, std::int64_t part = 1);

struct field_expectation {
  bool global = false;    ///< the operator is to state no interval
  std::int64_t slack = 0; ///< elements by which an interval may be too wide on either side
};

/// Changes one element of input `input` after the other and watches which outputs move: along
/// `axis` all of them must see the change inside their receptive field, which must be no wider than
/// that.
std::string field_is_wrong(const node_case& test, std::size_t input, int axis,
                           const field_expectation& expected = {});

} // namespace shoal::test
