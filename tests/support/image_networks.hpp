#pragma once

#include "runtime/graph/graph.hpp"

#include <cstdint>
#include <memory>

namespace shoal::test {

/// A random network of what images go through, from float32[1,3,H,W]: windows of every form,
/// changes of size, skip connections. One seed, one network.
std::shared_ptr<const graph> make_image_network(std::uint64_t seed);

} // namespace shoal::test
