#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

attributes with(std::initializer_list<std::pair<const char*, std::string>> entries) {
  attributes attrs;
  for (const auto& [name, value] : entries) attrs.set(name, value);
  return attrs;
}

node_input scales(std::initializer_list<float> values) {
  return {tensor::of<float>({static_cast<std::int64_t>(values.size())}, values), true};
}

node_input sizes(std::initializer_list<std::int64_t> values) {
  return {tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values), true};
}

const auto row = tensor::of<float>({1, 1, 1, 2}, {0, 4});

} // namespace

TEST_CASE("Upsample and the oldest Resize repeat elements") {
  const auto doubled = tensor::of<float>({1, 1, 1, 4}, {0, 0, 4, 4});
  attributes by_attribute;
  by_attribute.set("scales", std::vector<float>{1, 1, 1, 2});
  CHECK(identical(run({.op = "Upsample", .inputs = {row}, .attrs = by_attribute, .opset = 7}),
                  doubled));
  CHECK(identical(run({.op = "Upsample", .inputs = {row, scales({1, 1, 1, 2})}, .opset = 9}),
                  doubled));
  CHECK(identical(run({.op = "Resize", .inputs = {row, scales({1, 1, 1, 2})}, .opset = 10}),
                  doubled));
  CHECK(identical(run({.op = "Upsample",
                       .inputs = {row, scales({1, 1, 1, 2})},
                       .attrs = with({{"mode", "linear"}}),
                       .opset = 9}),
                  tensor::of<float>({1, 1, 1, 4}, {0, 2, 4, 4})));
}

TEST_CASE("Resize by scales, by sizes, of some axes, keeping the aspect ratio") {
  CHECK(identical(run({.op = "Resize",
                       .inputs = {row, tensor(), scales({1, 1, 1, 2})},
                       .attrs = with({{"mode", "linear"}})}),
                  tensor::of<float>({1, 1, 1, 4}, {0, 1, 3, 4})));
  CHECK(identical(run({.op = "Resize",
                       .inputs = {row, tensor(), tensor(), sizes({1, 1, 1, 3})},
                       .attrs = with({{"mode", "linear"},
                                      {"coordinate_transformation_mode", "align_corners"}})}),
                  tensor::of<float>({1, 1, 1, 3}, {0, 2, 4})));
  auto some = with({{"mode", "nearest"}});
  some.set("axes", std::vector<std::int64_t>{3});
  CHECK(identical(
      run({.op = "Resize", .inputs = {row, tensor(), scales({2})}, .attrs = some, .opset = 18}),
      tensor::of<float>({1, 1, 1, 4}, {0, 0, 4, 4})));
  auto kept = with({{"keep_aspect_ratio_policy", "not_larger"}});
  kept.set("axes", std::vector<std::int64_t>{2, 3});
  const auto types = infer_node({.op = "Resize",
                                 .inputs = {random_tensor({dtype::f32, {1, 1, 10, 20}}, 1),
                                            tensor(), tensor(), sizes({30, 30})},
                                 .attrs = kept,
                                 .opset = 18});
  REQUIRE(types);
  CHECK((*types)[0].dims == shape{1, 1, 15, 30});
}

TEST_CASE("with antialias, smaller outputs are made of all that they cover") {
  const auto smaller = [](const char* mode, std::int64_t exclude) {
    auto attrs = with({{"mode", mode}});
    attrs.set("antialias", std::int64_t{1});
    attrs.set("exclude_outside", exclude);
    return run({.op = "Resize",
                .inputs = {tensor::of<float>({1, 1, 1, 4}, {0, 8, 16, 32}), tensor(),
                           scales({1, 1, 1, 0.5f})},
                .attrs = attrs,
                .opset = 18});
  };
  // Weights 1, 3, 3, 1 around each centre; the elements at the ends stand for what is outside.
  CHECK(mismatch(smaller("linear", 0), tensor::of<float>({1, 1, 1, 2}, {5, 23})) <= 1);
  CHECK(mismatch(smaller("linear", 1), tensor::of<float>({1, 1, 1, 2}, {40 / 7.0f, 152 / 7.0f})) <=
        1);
  CHECK(identical(smaller("nearest", 0), tensor::of<float>({1, 1, 1, 2}, {0, 16})));
  std::uint64_t seed = 900;
  for (const std::string mode : {"linear", "cubic"})
    for (const float scale : {0.3f, 0.6f, 1.7f}) {
      node_case test{.op = "Resize",
                     .inputs = {random_tensor({dtype::f32, {2, 16, 17, 23}}, ++seed), tensor(),
                                scales({1, 1, scale, 0.4f})},
                     .attrs = with({{"mode", mode}}),
                     .opset = 19};
      test.attrs.set("antialias", std::int64_t{1});
      CHECK(kernels_disagree(test, 1e-5, 2e-6) == "");
      test.inputs[0].value = random_tensor({dtype::f32, {1, 1, 11, 12}}, seed, 1, 2);
      CHECK(field_is_wrong(test, 0, 2, {.slack = 2}) == "");
    }
}

TEST_CASE("a region is cropped and resized, beyond the image a value is put") {
  auto attrs = with({{"mode", "linear"}, {"coordinate_transformation_mode", "tf_crop_and_resize"}});
  attrs.set("extrapolation_value", -1.0f);
  attrs.set("axes", std::vector<std::int64_t>{3});
  const auto image = tensor::of<float>({1, 1, 1, 5}, {0, 1, 2, 3, 4});
  const auto crop = [&](float from, float to, std::int64_t size) {
    return run({.op = "Resize",
                .inputs = {image, scales({from, to}), tensor(), sizes({size})},
                .attrs = attrs,
                .opset = 18});
  };
  CHECK(mismatch(crop(0.25f, 0.75f, 3), tensor::of<float>({1, 1, 1, 3}, {1, 2, 3})) <= 1);
  CHECK(mismatch(crop(0.5f, 1.5f, 3), tensor::of<float>({1, 1, 1, 3}, {2, 4, -1})) <= 1);
  CHECK(mismatch(crop(1, 0, 3), tensor::of<float>({1, 1, 1, 3}, {4, 2, 0})) <= 1);
  CHECK(mismatch(crop(0.25f, 0.75f, 1), tensor::of<float>({1, 1, 1, 1}, {2})) <= 1);
  CHECK(!infer_node({.op = "Resize",
                     .inputs = {image, scales({0, 1e30f}), tensor(), sizes({2})},
                     .attrs = attrs,
                     .opset = 18}));
  CHECK(!infer_node({.op = "Resize",
                     .inputs = {image, scales({0, 1, 1}), tensor(), sizes({2})},
                     .attrs = attrs,
                     .opset = 18}));
  const node_case test{.op = "Resize",
                       .inputs = {random_tensor({dtype::f32, {2, 1, 3, 6}}, 1),
                                  scales({0.3f, 0.8f}), tensor(), sizes({4})},
                       .attrs = attrs,
                       .opset = 18};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 3, {.slack = 1}) == "");
  CHECK(field_is_wrong(test, 0, 2) == "");
  CHECK(split_is_wrong(test, {2, unsplit, unsplit, unsplit}, 2) == "");
  CHECK(split_is_wrong(test, {3, unsplit, unsplit, unsplit}, std::nullopt) == "");
}

TEST_CASE("corners are aligned over a length that need not be whole") {
  const auto got = run(
      {.op = "Resize",
       .inputs = {tensor::of<float>({1, 1, 1, 4}, {1, 2, 3, 4}), tensor(), scales({1, 1, 1, 0.6f})},
       .attrs = with({{"mode", "linear"}, {"coordinate_transformation_mode", "align_corners"}})});
  CHECK(mismatch(got, tensor::of<float>({1, 1, 1, 2}, {1, 1 + 3 / 1.4f})) <= 1);
}

TEST_CASE("Resize refuses what it does not do") {
  const auto refuses = [&](std::initializer_list<std::pair<const char*, std::string>> attrs) {
    return !infer_node({.op = "Resize",
                        .inputs = {row, tensor(), scales({1, 1, 1, 2})},
                        .attrs = with(attrs),
                        .opset = 18});
  };
  CHECK(!refuses({}));
  CHECK(refuses({{"mode", "sinc"}}));
  CHECK(refuses({{"keep_aspect_ratio_policy", "some"}}));
  CHECK(refuses({{"coordinate_transformation_mode", "tf_crop_and_resize"}})); // without regions
  CHECK(!infer_node({.op = "Resize", .inputs = {row, tensor(), scales({1, 1, 1})}}));
  CHECK(!infer_node({.op = "Resize", .inputs = {row, tensor(), scales({1, 1, 1, -2})}}));
  CHECK(!infer_node({.op = "Resize", .inputs = {row, tensor(), scales({1, 1, 1, 1e20f})}}));
  CHECK(!infer_node({.op = "Resize", .inputs = {row, tensor(), scales({1, 1, 1, 2}).value}}));
}

TEST_CASE("every way to resize agrees with the reference, and tells what it reads") {
  std::uint64_t seed = 500;
  for (const std::string mode : {"nearest", "linear", "cubic"})
    for (const std::string coordinates : {"half_pixel", "pytorch_half_pixel", "align_corners",
                                          "asymmetric", "half_pixel_symmetric"})
      for (const auto& [high, wide] :
           {std::pair{2.0f, 2.0f}, {0.5f, 1.5f}, {1.0f, 3.0f}, {2.6f, 0.6f}}) {
        const std::int64_t unused = mode == "cubic" ? 2 : mode == "linear" ? 1 : 0; // weights of 0
        CAPTURE(mode);
        CAPTURE(coordinates);
        CAPTURE(high);
        node_case test{.op = "Resize",
                       .inputs = {random_tensor({dtype::f32, {2, 16, 17, 23}}, ++seed), tensor(),
                                  scales({1, 1, high, wide})},
                       .attrs =
                           with({{"mode", mode}, {"coordinate_transformation_mode", coordinates}}),
                       .opset = 19};
        if (seed % 2 == 0) test.attrs.set("exclude_outside", std::int64_t{1});
        CHECK(kernels_disagree(test, 1e-5, 2e-6) == "");
        CHECK(split_is_wrong(test, {0, unsplit, unsplit}, 0) == "");
        CHECK(split_is_wrong(test, {3, unsplit, unsplit}, std::nullopt) == "");
        test.inputs[0].value = random_tensor({dtype::f32, {1, 1, 6, 5}}, seed, 1, 2);
        CHECK(field_is_wrong(test, 0, 2, {.slack = unused}) == "");
        CHECK(field_is_wrong(test, 0, 3, {.slack = unused}) == "");
      }
}

TEST_CASE("other types and ranks are resized too") {
  for (const auto type : {dtype::f64, dtype::f16, dtype::u8, dtype::i64})
    CHECK(kernels_disagree(
              {.op = "Resize",
               .inputs = {random_tensor({type, {2, 3, 5}}, 1, 0, 100), tensor(), scales({1, 2, 2})},
               .attrs = with({{"mode", "nearest"}})}) == "");
  CHECK(kernels_disagree({.op = "Resize",
                          .inputs = {random_tensor({dtype::f32, {1, 2, 3, 4, 5}}, 1), tensor(),
                                     scales({1, 1, 2, 2, 2})},
                          .attrs = with({{"mode", "linear"}})}) == "");
  CHECK(kernels_disagree(
            {.op = "Resize",
             .inputs = {random_tensor({dtype::f32, {70, 700}}, 1), tensor(), scales({2, 2})},
             .attrs = with({{"mode", "cubic"}})},
            1e-5, 2e-6) == "");
}
