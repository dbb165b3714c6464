#include "kernels/cpu/reorder.hpp"
#include "kernels/reference/reorder.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

using namespace shoal;

namespace {

constexpr layout all_layouts[] = {layout::plain, layout::channels_last, layout::blocked_8,
                                  layout::blocked_16};

/// Random bits: NaNs of every kind among them.
std::vector<std::uint64_t> random_bits(std::int64_t bytes, std::mt19937_64& random) {
  std::vector<std::uint64_t> out(static_cast<std::size_t>(bytes / 8 + 9));
  for (auto& word : out) word = random();
  return out;
}

std::int64_t bytes_of(const shape& dims, dtype type, layout format) {
  return stored_elements(dims, format) * static_cast<std::int64_t>(size_of(type));
}

} // namespace

TEST_CASE("Reorders between all layouts move every bit and zero the padding as the oracle does") {
  std::mt19937_64 random(20240611);
  const shape cases[] = {{1, 3, 5},        {2, 17, 7},       {1, 16, 4, 4},
                         {3, 5, 1, 9},     {2, 35, 6, 5},    {1, 1, 8, 8},
                         {1, 24, 3, 2, 5}, {2, 48, 1, 1, 1}, {1, 0, 2, 2}};
  for (const auto& dims : cases)
    for (const auto type : {dtype::f32, dtype::i32, dtype::u8, dtype::f64})
      for (const auto from : all_layouts)
        for (const auto to : all_layouts) {
          INFO("dims ", to_string(dims), " type ", to_string(type), " from ", to_string(from),
               " to ", to_string(to));
          const auto original = random_bits(bytes_of(dims, type, layout::plain), random);
          auto source = random_bits(bytes_of(dims, type, from), random);
          auto expected = random_bits(bytes_of(dims, type, to), random);
          auto actual = random_bits(bytes_of(dims, type, to), random);
          const const_view in{original.data(), type, layout::plain, dims};
          reference::reorder(in, {source.data(), type, from, dims});
          reference::reorder(in, {expected.data(), type, to, dims});

          const auto k = kernels::make_reorder(dims, type, from, to, 1);
          CHECK(k->input_layout(0) == from);
          CHECK(k->output_layout(0) == to);
          std::vector<std::byte> scratch(k->scratch_bytes() + 64);
          const const_view inputs[] = {{source.data(), type, from, dims}};
          const view outputs[] = {{actual.data(), type, to, dims}};
          k->run({inputs, outputs, scratch.data()});
          CHECK(std::memcmp(actual.data(), expected.data(),
                            static_cast<std::size_t>(bytes_of(dims, type, to))) == 0);
        }
}
