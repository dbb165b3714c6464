#pragma once

#include "tests/support/node_runner.hpp"

#include <vector>

namespace shoal::test {

/// Small nodes of every operator that one can make a node of without a graph: seeded values, odd
/// shapes, and the attributes that its rules depend on. In the same order with the same values
/// every time.
std::vector<node_case> operator_examples();

} // namespace shoal::test
