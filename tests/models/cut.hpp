#pragma once

#include "tests/support/stages.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace shoal::test {

/// Cut at even positions into 2, 3 and 5 stages, before every node, and `random_count` times at
/// random positions, the model gives the bytes that the whole one gives, with 1 thread and with 2,
/// whether values cross the cuts in plain layout or as they come.
inline void check_cuts(const std::shared_ptr<const graph>& model, const std::vector<tensor>& inputs,
                       int random_count) {
  const auto nodes = model->nodes().size();
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    const auto whole = run_whole(model, inputs, threads);
    REQUIRE_MESSAGE(whole, (whole ? std::string() : whole.error().message()));
    for (const auto crossing :
         {output_layouts::plain, output_layouts::unpadded, output_layouts::any}) {
      CAPTURE(static_cast<int>(crossing));
      const auto check = [&](const std::vector<std::size_t>& cuts) {
        CHECK(difference(run_in_stages(*model, cuts, inputs, threads, crossing), whole) == "");
      };
      for (const std::size_t stages : {2, 3, 5}) {
        CAPTURE(stages);
        check(even_cuts(nodes, stages));
      }
      check(all_cuts(nodes));
    }
    for (int i = 0; i < random_count; ++i) {
      const auto seed = static_cast<std::uint64_t>(i);
      const auto cuts = random_cuts(nodes, 6, seed);
      CAPTURE(seed);
      CHECK(difference(run_in_stages(*model, cuts, inputs, threads), whole) == "");
    }
  }
}

} // namespace shoal::test
