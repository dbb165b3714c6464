#include "kernels/half.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace shoal;

TEST_CASE("every binary16 survives the way through float") {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = half_bits_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      CHECK(std::isnan(half_bits_to_float(float_to_half_bits(value))));
    } else if (float_to_half_bits(value) != bits) {
      FAIL("binary16 " << bits << " came back as " << float_to_half_bits(value));
    }
  }
}

TEST_CASE("float to binary16 rounds to nearest even and saturates to infinity") {
  CHECK(float_to_half_bits(1.0f) == 0x3c00);
  CHECK(float_to_half_bits(1.0f + 0x1p-11f) == 0x3c00);            // halfway, even stays
  CHECK(float_to_half_bits(1.0f + 0x1p-10f + 0x1p-11f) == 0x3c02); // halfway, odd goes up
  CHECK(float_to_half_bits(65504.0f) == 0x7bff);
  CHECK(float_to_half_bits(65519.996f) == 0x7bff);
  CHECK(float_to_half_bits(65520.0f) == 0x7c00);
  CHECK(float_to_half_bits(-std::numeric_limits<float>::infinity()) == 0xfc00);
  CHECK(float_to_half_bits(0x1p-24f) == 0x0001);
  CHECK(float_to_half_bits(0x1p-25f) == 0x0000);
  CHECK(float_to_half_bits(0x1.8p-25f) == 0x0001);
  CHECK(float_to_half_bits(-0.0f) == 0x8000);
}

TEST_CASE("bfloat16 rounds to nearest even and keeps NaN") {
  CHECK(bfloat16(1.0f).bits == 0x3f80);
  CHECK(bfloat16(1.0f + 0x1p-8f).bits == 0x3f80);
  CHECK(bfloat16(1.0f + 0x1p-7f + 0x1p-8f).bits == 0x3f82);
  CHECK(std::isnan(static_cast<float>(bfloat16(std::numeric_limits<float>::signaling_NaN()))));
  CHECK(static_cast<float>(bfloat16(3.0e38f)) > 2.9e38f);
}
