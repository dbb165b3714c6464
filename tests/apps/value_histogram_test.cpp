#include "apps/command/value_histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using shoal::value_histogram;

TEST_SUITE_BEGIN("apps");

TEST_CASE("quantiles are within half a percent of the sorted numbers") {
  const std::uint64_t seed = 20240607;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> spread(8, 3);
  value_histogram histogram;
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 20000; ++i) {
    all.push_back(static_cast<std::uint64_t>(spread(random)));
    histogram.add(all.back());
  }
  std::ranges::sort(all);
  for (const double q : {0.001, 0.01, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    CAPTURE(q);
    const auto rank = static_cast<std::size_t>(std::ceil(q * 20000)) - 1;
    const auto exact = static_cast<double>(all[rank]);
    CHECK(std::abs(static_cast<double>(histogram.quantile(q)) - exact) <= 0.005 * exact);
  }
  CHECK(histogram.count() == all.size());
  CHECK(histogram.least() == all.front());
  CHECK(histogram.greatest() == all.back());
}

TEST_CASE("small numbers are exact") {
  value_histogram histogram;
  for (std::uint64_t i = 1; i <= 200; ++i) histogram.add(i);
  CHECK(histogram.quantile(0) == 1);
  CHECK(histogram.quantile(0.5) == 100);
  CHECK(histogram.quantile(0.95) == 190);
  CHECK(histogram.quantile(1) == 200);
  CHECK(histogram.mean() == doctest::Approx(100.5));
}

TEST_CASE("the largest and the smallest numbers have a place") {
  value_histogram histogram;
  histogram.add(UINT64_MAX);
  histogram.add(0);
  CHECK(histogram.quantile(0.5) == 0);
  CHECK(histogram.quantile(1) >= UINT64_MAX - UINT64_MAX / 200);
  CHECK(histogram.greatest() == UINT64_MAX);
}

TEST_CASE("an empty histogram says zero") {
  const value_histogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.quantile(0.99) == 0);
  CHECK(histogram.least() == 0);
  CHECK(histogram.mean() == 0);
}

TEST_SUITE_END();
