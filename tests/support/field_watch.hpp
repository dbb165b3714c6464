#pragma once

#include "tests/support/asked_node.hpp"

#include <string>
#include <vector>

/// Receptive fields found by trying: one element of an input is changed after the other, to see
/// which elements of the outputs move.
namespace shoal::test {

/// What was seen of an input along one axis of the outputs.
struct seen_axis {
  int axis = 0;                  ///< of the outputs
  int own_axis = 0;              ///< of the input, as the operator states
  std::int64_t extent = 0;       ///< of the input there
  std::vector<interval> reached; ///< by index of the output: what moved it; empty intervals too
};

struct watched_input {
  bool moves = false;          ///< some output followed
  int output_rank = 0;         ///< of output 0
  std::vector<seen_axis> axes; ///< those of output 0 that the input has, too
};

/// With every kernel that applies. Fails when the node does not run.
result<watched_input> watch_input(const node_case& test, std::size_t input);

/// What `compare_field` found besides errors.
enum class stated_width { interval, whole, wider_than_read };

/// Compares what was seen with what the operator states about input `input` of the node, for
/// outputs of several widths. An interval has to cover what was read, within the input, and be no
/// wider by more than `slack` elements at either end. Returns what is wrong, or nothing.
std::string compare_field(const asked_node& asked, std::size_t input, const seen_axis& seen,
                          std::int64_t slack, stated_width& stated);

/// The kernels that apply, by name; one empty name for an operator that needs none.
std::vector<std::string> kernels_of(const node_case& test);

} // namespace shoal::test
