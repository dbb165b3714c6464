#pragma once

#include "tests/support/node_runner.hpp"

#include <set>
#include <string>
#include <vector>

/// What an operator states about itself, against what its kernels do on one node: for all operators
/// alike, without knowing which one it is. Each returns what is wrong, or nothing.
namespace shoal::test {

/// The operator of a node; null when there is none.
const operator_def* definition_of(const node_case& test);

/// The shape rule: the node runs, and every element of the stated outputs is written.
std::string outputs_are_wrong(const node_case& test);

/// The cost: positive, finite, and no less than what has to be written.
std::string cost_is_wrong(const node_case& test);

/// An input of a node, and an axis of its outputs.
struct followed_axis {
  std::size_t input;
  int axis;
};

/// What `fields_are_wrong` found besides errors.
struct field_findings {
  std::set<std::size_t> watched;         ///< inputs that were changed
  std::set<std::size_t> followed;        ///< those that some output followed
  std::vector<followed_axis> whole_axes; ///< stated to be needed whole, though a part would do
};

/// The receptive field of every input that is no constant, along every axis of output 0. Changes
/// one element after the other and watches which elements of the outputs move, with every kernel
/// that applies: all of them must lie where the rule says. An interval that it states must not be
/// wider than what was seen by more than `slack` elements at either end.
std::string fields_are_wrong(const node_case& test, std::int64_t slack, field_findings& findings);

/// The axes to split along: wherever the rule allows a cut, the outputs of the parts, joined, must
/// be those of the whole, bit by bit, with every kernel. `cuts` counts the cuts that were tried.
std::string splits_are_wrong(const node_case& test, std::size_t& cuts);

} // namespace shoal::test
