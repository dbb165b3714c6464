#include "kernels/cpu/matmul.hpp"

#include <doctest/doctest.h>

using namespace shoal;

TEST_CASE("The packed form of a matrix says which way round the matrix was read") {
  kernels::matmul_problem p{
      .a_batch = {}, .b_batch = {}, .rows = 5, .columns = 48, .length = 48, .constant_b = true};
  const auto as_it_is = kernels::make_matmul(p, 1);
  p.transpose_b = true;
  const auto transposed = kernels::make_matmul(p, 1);
  REQUIRE(as_it_is);
  REQUIRE(transposed);
  CHECK(as_it_is->form() != transposed->form());
  // Both read the same packed format, so that the bytes themselves would not give them away.
  CHECK(as_it_is->packed_bytes() == transposed->packed_bytes());
}
