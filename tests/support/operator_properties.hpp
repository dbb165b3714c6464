#pragma once

#include "tests/support/node_runner.hpp"

#include <string>

/// Properties that hold for every operator, checked by computing. Each returns what is wrong, or
/// nothing: `CHECK(kernels_disagree(test) == "")`.
namespace shoal::test {

/// Runs every kernel that applies, with one and with two threads and with every layout that the
/// producers may write, against the last one, the reference. The runs of one kernel on one layout
/// must agree bit by bit, whatever the threads. At least one kernel must apply.
std::string kernels_disagree(node_case test, double relative = 1e-5, double absolute = 1e-6);

/// Cuts the inputs in parts of `part` elements, input i along `split[i]` (or not, if `unsplit`),
/// runs the node on each with the first kernel that applies, joins the outputs along the axis that
/// `split_axis` states and compares them, bit by bit, with those of the whole. `expected_axis` is
/// what `split_axis` has to say; if it is nullopt nothing is run.
std::string split_is_wrong(const node_case& test, const std::vector<int>& split,
                           std::optional<int> expected_axis, std::int64_t part = 1);

/// Changes one element of input `input` after the other and watches which outputs move: along
/// `axis` all of them must see the change inside their receptive field. Also wrong when the field
/// is larger than what moves by more than `slack` elements on either side, or when `global` (no
/// interval at all) is not what the operator says.
std::string field_is_wrong(const node_case& test, std::size_t input, int axis, bool global = false,
                           std::int64_t slack = 0);

} // namespace shoal::test
