#pragma once

#include "tests/support/node_runner.hpp"

#include <cstdint>
#include <vector>

namespace shoal::test {

/// Small nodes of every operator that one can make a node of without a graph: seeded values, odd
/// shapes, and the attributes that its rules depend on. In the same order with the same values
/// every time.
std::vector<node_case> operator_examples();

/// A small node that slides a window over an image or moves its pixels, with attributes drawn from
/// the seed. They need not fit together.
node_case random_window(std::uint64_t seed);

} // namespace shoal::test
