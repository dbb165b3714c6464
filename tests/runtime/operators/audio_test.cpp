#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

node_input number(std::int64_t value) {
  return {tensor::of<std::int64_t>({}, {value}), true};
}

node_input hertz(float value) {
  return {tensor::of<float>({}, {value}), true};
}

node_case dft(const tensor& x, bool inverse, bool onesided, int opset = 17) {
  node_case test{.op = "DFT", .inputs = {x}, .opset = opset};
  test.attrs.set("inverse", std::int64_t{inverse});
  test.attrs.set("onesided", std::int64_t{onesided});
  return test;
}

tensor random(const shape& dims, std::uint64_t seed = 1, dtype type = dtype::f32) {
  return random_tensor({type, dims}, seed);
}

/// What an FFT may lose against sums in double: rounding grows with the logarithm of the length,
/// relative to the whole signal.
constexpr double relative = 1e-4, absolute = 5e-5;

} // namespace

TEST_CASE("DFT transforms as the definition says") {
  const auto real = tensor::of<float>({1, 4, 1}, {1, 2, 3, 4});
  CHECK(mismatch(run(dft(real, false, false)),
                 tensor::of<float>({1, 4, 2}, {10, 0, -2, 2, -2, 0, -2, -2})) <= 1);
  CHECK(mismatch(run(dft(real, false, true)),
                 tensor::of<float>({1, 3, 2}, {10, 0, -2, 2, -2, 0})) <= 1);
  const auto spectrum = tensor::of<float>({1, 3, 2}, {10, 0, -2, 2, -2, 0});
  CHECK(mismatch(run(dft(spectrum, true, true)), real) <= 1);
  // The parts that a real signal cannot have are passed over.
  const auto impossible = tensor::of<float>({1, 3, 2}, {10, 5, -2, 2, -2, 7});
  CHECK(mismatch(run(dft(impossible, true, true)), real) <= 1);
}

TEST_CASE("FFTs of every kind of length agree with the definition") {
  for (const std::int64_t n : {1,  2,  3,  4,  5,  6,  7,  8,  9,  11, 12,  13,  15,  16,  17,
                               19, 22, 26, 27, 31, 34, 49, 60, 64, 97, 121, 128, 210, 257, 400}) {
    CAPTURE(n);
    for (const auto type : {dtype::f32, dtype::f64}) {
      CHECK(kernels_disagree(dft(random({2, n, 2}, 1, type), false, false), relative, absolute) ==
            "");
      CHECK(kernels_disagree(dft(random({2, n, 2}, 2, type), true, false), relative, absolute) ==
            "");
      CHECK(kernels_disagree(dft(random({2, n, 1}, 3, type), false, true), relative, absolute) ==
            "");
      CHECK(kernels_disagree(dft(random({2, n, 1}, 4, type), false, false), relative, absolute) ==
            "");
      if (n > 1)
        CHECK(kernels_disagree(dft(random({2, n, 2}, 5, type), true, true), relative, absolute) ==
              "");
    }
  }
}

TEST_CASE("DFT pads and cuts, along any axis, many signals at once") {
  for (const std::int64_t length : {5, 8, 20, 33})
    for (const std::int64_t axis : {0, 1, 2})
      for (const bool onesided : {false, true}) {
        auto test = dft(random({9, 8, 23, 1}), false, onesided);
        test.inputs.push_back(number(length));
        test.attrs.set("axis", axis);
        CHECK(kernels_disagree(test, relative, absolute) == "");
        auto newer = dft(random({9, 8, 23, 1}), false, onesided, 20);
        newer.inputs.push_back(number(length));
        newer.inputs.push_back(number(axis - 4));
        CHECK(identical(run(newer), run(test)));
        auto back = dft(random({9, 8, 23, 2}), true, onesided);
        back.inputs.push_back(number(length));
        back.attrs.set("axis", axis);
        CHECK(kernels_disagree(back, relative, absolute) == "");
      }
}

TEST_CASE("DFT takes the last axis of signals where opset 20 names none") {
  const auto x = random({3, 4, 6, 1});
  auto older = dft(x, false, false);
  older.attrs.set("axis", std::int64_t{2});
  CHECK(identical(run(dft(x, false, false, 20)), run(older)));
}

TEST_CASE("DFT splits along the axes that it leaves alone") {
  auto test = dft(random({3, 12, 5, 1}), false, true);
  CHECK(split_is_wrong(test, {0}, 0) == "");
  CHECK(split_is_wrong(test, {2}, 2, 2) == "");
  CHECK(split_is_wrong(test, {1}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {3}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1, {.global = true}) == "");
}

TEST_CASE("DFT refuses what is no signal") {
  CHECK(!infer_node(dft(random({2, 4, 3}), false, false)));
  CHECK(!infer_node(dft(random({2, 4, 2}), false, true)));
  CHECK(!infer_node(dft(random({2, 4, 1}), true, true)));
  CHECK(!infer_node(dft(random({2, 1, 2}), true, true))); // no element would be left
  auto test = dft(random({2, 4, 1}), false, false);
  test.attrs.set("axis", std::int64_t{2});
  CHECK(!infer_node(test));
  for (const std::int64_t length : {std::int64_t{0}, std::int64_t{-4}, std::int64_t{1} << 40}) {
    test = dft(random({2, 4, 1}), false, false);
    test.inputs.push_back(number(length));
    CHECK(!infer_node(test));
  }
}

TEST_CASE("lengths of transforms that are known only while running are asked for") {
  auto test = dft(random({2, 4, 1}), false, false);
  test.inputs.emplace_back(tensor::of<std::int64_t>({}, {4}));
  for (const auto& asked :
       {test, node_case{.op = "STFT",
              .inputs = {random({1, 10, 1}), tensor::of<std::int64_t>({}, {2})}}}) {
    const auto refused = infer_node(asked);
    REQUIRE(!refused);
    CHECK(refused.error().code() == errc::needs_values);
  }
}

TEST_CASE("STFT transforms windowed frames") {
  for (const std::int64_t parts : {1, 2})
    for (const bool onesided : {false, true})
      for (const std::int64_t length : {16, 21}) {
        if (onesided && parts == 2) continue;
        node_case test{.op = "STFT",
                       .inputs = {random({2, 100, parts}), number(7), {random({length}, 2), true}}};
        test.attrs.set("onesided", std::int64_t{onesided});
        CHECK(kernels_disagree(test, relative, absolute) == "");
        CHECK(run(test).dims() ==
              shape{2, (100 - length) / 7 + 1, onesided ? length / 2 + 1 : length, 2});
        test.inputs.push_back(number(length));
        CHECK(kernels_disagree(test, relative, absolute) == "");
        test.inputs[2] = {tensor()};
        CHECK(kernels_disagree(test, relative, absolute) == "");
        CHECK(split_is_wrong(test, {0, unsplit, unsplit, unsplit}, 0) == "");
        CHECK(field_is_wrong(test, 0, 1) == "");
      }
}

TEST_CASE("STFT refuses frames that do not fit") {
  const auto x = random({1, 10, 1});
  CHECK(!infer_node({.op = "STFT", .inputs = {x, number(0), tensor(), number(4)}}));
  CHECK(!infer_node({.op = "STFT", .inputs = {x, number(1), tensor(), number(11)}}));
  CHECK(!infer_node({.op = "STFT", .inputs = {x, number(1), tensor(), number(0)}}));
  CHECK(!infer_node({.op = "STFT", .inputs = {x, number(1), {random({5}), true}, number(4)}}));
  const node_case far{.op = "STFT", .inputs = {x, number(INT64_MAX), tensor(), number(4)}};
  CHECK(run(far).dims() == shape{1, 1, 3, 2});
}

TEST_CASE("windows are those of signal processing") {
  const auto window = [](const char* op, std::int64_t size, std::int64_t periodic,
                         std::int64_t type = 1) {
    node_case test{.op = op, .inputs = {number(size)}};
    test.attrs.set("periodic", periodic);
    test.attrs.set("output_datatype", type);
    return run(test);
  };
  CHECK(mismatch(window("HannWindow", 4, 1), tensor::of<float>({4}, {0, 0.5f, 1, 0.5f})) <= 1);
  CHECK(mismatch(window("HannWindow", 3, 0), tensor::of<float>({3}, {0, 1, 0})) <= 1);
  CHECK(mismatch(window("HammingWindow", 2, 1),
                 tensor::of<float>({2}, {static_cast<float>(4.0 / 46), 1})) <= 1);
  CHECK(mismatch(window("BlackmanWindow", 2, 1, 11), tensor::of<double>({2}, {0, 1})) <= 1);
  CHECK(identical(window("HannWindow", 1, 0), tensor::of<float>({1}, {1})));
  CHECK(window("HannWindow", 0, 1).dims() == shape{0});
  CHECK(!infer_node({.op = "HannWindow", .inputs = {number(-1)}}));
  CHECK(!infer_node({.op = "HannWindow", .inputs = {number(INT64_MAX)}}));
}

TEST_CASE("mel filters are triangles that cover the band") {
  const auto weights =
      run({.op = "MelWeightMatrix",
           .inputs = {number(8), number(64), number(8192), hertz(0), hertz(4096)}});
  REQUIRE(weights.dims() == shape{33, 8});
  for (int band = 0; band < 8; ++band) {
    float most = 0;
    for (int bin = 0; bin < 33; ++bin) {
      const float w = weights.values<float>()[static_cast<std::size_t>(bin * 8 + band)];
      CHECK((w >= 0 && w <= 1));
      most = std::fmax(most, w);
    }
    CHECK(most == 1);
  }
  CHECK(!infer_node({.op = "MelWeightMatrix",
                     .inputs = {number(8), number(64), number(0), hertz(0), hertz(4096)}}));
  CHECK(!infer_node({.op = "MelWeightMatrix",
                     .inputs = {number(8), number(64), number(8192), hertz(9), hertz(4)}}));
  CHECK(!infer_node(
      {.op = "MelWeightMatrix",
       .inputs = {number(INT64_MAX), number(INT64_MAX), number(8192), hertz(0), hertz(4096)}}));
}
