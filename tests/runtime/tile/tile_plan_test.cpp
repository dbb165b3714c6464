#include "kernels/cpu/convolution.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tile/steady_kernels.hpp"
#include "runtime/tile/tile_ends.hpp"
#include "tests/support/image_networks.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

std::vector<tensor> run(session_cache& sessions, const tensor& image) {
  workspace arena;
  auto outputs = sessions.run({&image, 1}, arena);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
  return *std::move(outputs);
}

session_options with_threads(int threads) {
  session_options options;
  options.threads = threads;
  return options;
}

/// The outputs of `model` put together from the tiles of `plan`.
std::vector<tensor> run_tiles(const std::shared_ptr<const graph>& model, const tile_plan& plan,
                              const tensor& image, int threads) {
  session_cache sessions(model, with_threads(threads));
  tensor_source from(image, plan.axes());
  auto to = tensor_sink::create(plan);
  REQUIRE(to);
  for (const auto& rows : plan.rows())
    for (const auto& columns : plan.columns()) {
      const auto crop = from.read(rows.image, columns.image);
      REQUIRE(crop);
      const auto outputs = run(sessions, *crop);
      for (std::size_t o = 0; o < outputs.size(); ++o)
        REQUIRE(to->write(o, rows.gives[o], columns.gives[o], outputs[o]));
    }
  return to->outputs();
}

/// Over the largest element.
float largest_difference(const tensor& a, const tensor& b) {
  float largest = 0, scale = 1;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    largest = std::max(largest, std::abs(a.values<float>()[i] - b.values<float>()[i]));
    scale = std::max(scale, std::abs(b.values<float>()[i]));
  }
  return largest / scale;
}

tile_choice random_choice(random_numbers& numbers) {
  if (numbers.chance(2)) return tile_grid{1 + numbers.below(4), 1 + numbers.below(4)};
  return tile_extents{24 + numbers.below(60), 24 + numbers.below(60)};
}

struct tally {
  int tried = 0, cut = 0;
};

void try_seeds(std::uint64_t first, std::uint64_t last, tally& count) {
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    const auto network = make_image_network(seed);
    random_numbers numbers(seed + 10'000);
    const shape dims{1, 3, 40 + numbers.below(80), 40 + numbers.below(80)};
    const tensor_type type{dtype::f32, dims};
    auto rewritten = rewrite_for_cpu(network);
    REQUIRE(rewritten);
    auto steady = with_steady_kernels(*std::move(rewritten));
    REQUIRE(steady);
    const auto plan = tile_plan::make(network, {&type, 1}, random_choice(numbers));
    if (!plan) continue; // too small to see how it goes on, or for any tile
    if (kernels::has_steady_convolutions()) CHECK(plan->inexact() == "");
    const auto image = numbers.tensor_of(dims, 1);
    session_cache whole(*steady, with_threads(2));
    const auto expected = run(whole, image);
    const auto got = run_tiles(*steady, *plan, image, 1 + static_cast<int>(numbers.below(2)));
    REQUIRE(got.size() == expected.size());
    for (std::size_t o = 0; o < got.size(); ++o) {
      if (plan->inexact().empty())
        CHECK(identical(got[o], expected[o]));
      else
        CHECK(largest_difference(got[o], expected[o]) < 1e-5);
    }
    ++count.tried;
    count.cut += plan->count() > 1;
  }
}

} // namespace

TEST_CASE("tiles give, bit for bit, what the whole image gives") {
  tally count;
  try_seeds(1, 2300, count);
  MESSAGE(count.tried, " tried, ", count.cut, " cut");
  CHECK(count.tried >= 2000);
  CHECK(count.cut >= 1500);
}
