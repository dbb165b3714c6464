#include "tests/support/examples/examples.hpp"

// Operators that slide a window over an image, or read around a place of it.

namespace shoal::test::examples {
namespace {

/// Windows of 3 x 2 taps over two axes, in all the ways that rules tell apart.
const attributes windows[] = {
    attrs_of({{"kernel_shape", ints({3, 2})}}),
    attrs_of({{"kernel_shape", ints({3, 2})}, {"strides", ints({2, 3})}}),
    attrs_of({{"kernel_shape", ints({3, 2})}, {"pads", ints({1, 0, 2, 1})}}),
    attrs_of({{"kernel_shape", ints({3, 2})},
              {"dilations", ints({2, 3})},
              {"pads", ints({2, 1, 0, 2})}}),
    attrs_of(
        {{"kernel_shape", ints({3, 2})}, {"strides", ints({2, 2})}, {"auto_pad", "SAME_UPPER"}}),
    attrs_of(
        {{"kernel_shape", ints({3, 2})}, {"strides", ints({1, 2})}, {"auto_pad", "SAME_LOWER"}}),
    attrs_of({{"kernel_shape", ints({3, 2})}, {"strides", ints({4, 3})}, {"auto_pad", "VALID"}}),
};

attributes and_also(attributes attrs, const char* name, attribute value) {
  attrs.set(name, std::move(value));
  return attrs;
}

void add_convolutions(list& all) {
  for (const auto& window : windows) {
    all.push_back(
        {.op = "Conv", .inputs = {f({2, 3, 7, 6}), f({4, 3, 3, 2}), f({4})}, .attrs = window});
    all.push_back({.op = "Conv",
                   .inputs = {f({1, 4, 7, 6}), fixed(f({6, 2, 3, 2}))},
                   .attrs = and_also(window, "group", 2)});
    all.push_back({.op = "FusedConv",
                   .inputs = {f({1, 3, 7, 6}), fixed(f({4, 3, 3, 2})), fixed(f({4}))},
                   .attrs = and_also(window, "activation", "Relu"),
                   .domain = "com.microsoft",
                   .opset = 1});
    all.push_back({.op = "ConvTranspose",
                   .inputs = {f({2, 3, 4, 5}), f({3, 2, 3, 2}), f({2})},
                   .attrs = window});
  }
  all.push_back({.op = "Conv",
                 .inputs = {f({1, 16, 9, 8}), fixed(f({16, 16, 3, 3})), fixed(f({16}))},
                 .attrs = attrs_of({{"pads", ints({1, 1, 1, 1})}})});
  all.push_back({.op = "Conv",
                 .inputs = {f({1, 8, 9, 8}), fixed(f({8, 1, 3, 3}))},
                 .attrs = attrs_of({{"group", 8}, {"pads", ints({1, 1, 1, 1})}})});
  all.push_back({.op = "Conv",
                 .inputs = {f({2, 3, 9}), f({4, 3, 3})},
                 .attrs = attrs_of({{"strides", ints({2})}})});
  all.push_back({.op = "Conv", .inputs = {f({1, 2, 4, 3, 5}), f({3, 2, 2, 2, 2})}});
  all.push_back(
      {.op = "Conv",
       .inputs = {some(dtype::f64, {1, 2, 5, 4}, -1, 1), some(dtype::f64, {3, 2, 2, 2}, -1, 1)}});
  all.push_back({.op = "FusedConv",
                 .inputs = {f({1, 3, 6, 5}), f({4, 3, 3, 3}), f({4}), f({1, 4, 6, 5})},
                 .attrs = attrs_of({{"activation", "Relu"}, {"pads", ints({1, 1, 1, 1})}}),
                 .domain = "com.microsoft",
                 .opset = 1});
  all.push_back(
      {.op = "ConvTranspose",
       .inputs = {f({1, 4, 4, 5}), fixed(f({4, 2, 4, 4}))},
       .attrs = attrs_of({{"group", 2}, {"strides", ints({2, 2})}, {"pads", ints({1, 1, 1, 1})}})});
  all.push_back({.op = "ConvTranspose",
                 .inputs = {f({1, 2, 4, 5}), f({2, 2, 2, 3})},
                 .attrs = attrs_of({{"strides", ints({3, 2})}, {"output_padding", ints({2, 1})}})});
  all.push_back({.op = "ConvTranspose",
                 .inputs = {f({1, 2, 4, 5}), f({2, 2, 3, 3})},
                 .attrs = attrs_of({{"strides", ints({3, 2})}, {"output_shape", ints({10, 9})}})});
  all.push_back({.op = "ConvTranspose",
                 .inputs = {f({1, 2, 4, 5}), f({2, 2, 3, 3})},
                 .attrs = attrs_of({{"strides", ints({3, 2})}, {"output_shape", ints({13, 14})}})});
  all.push_back({.op = "ConvTranspose",
                 .inputs = {f({1, 2, 5}), f({2, 1, 2})},
                 .attrs = attrs_of({{"strides", ints({3})}, {"dilations", ints({2})}})});
  all.push_back(
      {.op = "DeformConv",
       .inputs = {f({2, 2, 5, 4}), f({3, 2, 2, 2}), f({2, 8, 4, 3}), f({3}), f({2, 4, 4, 3})},
       .opset = 19});
}

void add_pools(list& all) {
  for (const auto& window : windows)
    for (const char* name : {"MaxPool", "AveragePool", "LpPool"}) {
      if (window.contains("dilations") && std::string_view(name) == "LpPool") continue;
      const int opset = 19;
      all.push_back({.op = name, .inputs = {f({2, 2, 7, 6})}, .attrs = window, .opset = opset});
    }
  for (const char* name : {"MaxPool", "AveragePool"}) {
    all.push_back({.op = name,
                   .inputs = {f({1, 2, 8, 7})},
                   .attrs = attrs_of({{"kernel_shape", ints({3, 3})},
                                      {"strides", ints({2, 3})},
                                      {"ceil_mode", 1},
                                      {"pads", ints({0, 1, 1, 0})}})});
    all.push_back(
        {.op = name, .inputs = {f({2, 3, 9})}, .attrs = attrs_of({{"kernel_shape", ints({2})}})});
    all.push_back({.op = name,
                   .inputs = {f({1, 2, 3, 4, 5})},
                   .attrs = attrs_of({{"kernel_shape", ints({2, 2, 3})}})});
  }
  all.push_back({.op = "MaxPool",
                 .inputs = {f({2, 2, 5, 6})},
                 .attrs = attrs_of({{"kernel_shape", ints({2, 2})}, {"strides", ints({2, 2})}}),
                 .outputs = 2});
  all.push_back({.op = "MaxPool",
                 .inputs = {some(dtype::u8, {1, 2, 5, 6}, 0, 255)},
                 .attrs = attrs_of({{"kernel_shape", ints({2, 3})}})});
  all.push_back({.op = "AveragePool",
                 .inputs = {f({1, 2, 7, 6})},
                 .attrs = and_also(windows[2], "count_include_pad", 1)});
  for (const char* name : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    all.push_back({.op = name, .inputs = {f({2, 3, 4, 5})}});
  all.push_back({.op = "MaxUnpool",
                 .inputs = {f({1, 2, 2, 3}), some(dtype::i64, {1, 2, 2, 3}, 0, 48)},
                 .attrs = attrs_of({{"kernel_shape", ints({2, 2})}, {"strides", ints({2, 2})}})});
  all.push_back(
      {.op = "Col2Im", .inputs = {f({2, 12, 16}), listed({5, 6}), listed({2, 3})}, .opset = 18});
}

void add_resizes(list& all) {
  const char* modes[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                         "align_corners", "asymmetric"};
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* coordinates : modes)
      for (const auto& sizes : {listed({1, 2, 9, 3}), listed({1, 2, 5, 13})})
        all.push_back(
            {.op = "Resize",
             .inputs = {f({1, 2, 6, 5}), none(), none(), sizes},
             .attrs = attrs_of({{"mode", mode}, {"coordinate_transformation_mode", coordinates}}),
             .opset = 19});
  all.push_back({.op = "Resize",
                 .inputs = {f({1, 2, 6, 5}), none(), none(), listed({1, 2, 9, 3})},
                 .attrs = attrs_of({{"coordinate_transformation_mode", "tf_half_pixel_for_nn"}})});
  for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})
    all.push_back(
        {.op = "Resize",
         .inputs = {f({1, 2, 5, 4}), none(), fixed(tensor::of<float>({4}, {1, 1, 2, 0.6f}))},
         .attrs = attrs_of({{"nearest_mode", rounding}})});
  for (const char* mode : {"linear", "cubic"}) {
    all.push_back({.op = "Resize",
                   .inputs = {f({1, 1, 9, 7}), none(), none(), listed({1, 1, 4, 5})},
                   .attrs = attrs_of({{"mode", mode}, {"antialias", 1}}),
                   .opset = 18});
    all.push_back(
        {.op = "Resize",
         .inputs = {f({1, 2, 5, 4}), none(), fixed(tensor::of<float>({2}, {2, 3}))},
         .attrs = attrs_of({{"mode", mode}, {"axes", ints({2, 3})}, {"exclude_outside", 1}}),
         .opset = 18});
    all.push_back({.op = "Resize",
                   .inputs = {f({1, 2, 5, 6}),
                              fixed(tensor::of<float>({8}, {0, 0, 0.21f, -0.3f, 1, 1, 0.8f, 1.2f})),
                              none(), listed({1, 2, 4, 7})},
                   .attrs = attrs_of({{"mode", mode},
                                      {"coordinate_transformation_mode", "tf_crop_and_resize"}})});
    all.push_back({.op = "Resize",
                   .inputs = {f({1, 2, 5, 6}), fixed(tensor::of<float>({4}, {1, 1, 2, 2}))},
                   .attrs = attrs_of({{"mode", "linear"}}),
                   .opset = 10});
  }
  all.push_back({.op = "Upsample",
                 .inputs = {f({1, 2, 3, 4}), fixed(tensor::of<float>({4}, {1, 1, 2, 3}))},
                 .opset = 9});
  all.push_back({.op = "Upsample",
                 .inputs = {f({1, 2, 3, 4})},
                 .attrs = attrs_of({{"scales", floats({1, 1, 2, 3})}, {"mode", "linear"}}),
                 .opset = 7});
}

void add_sampling(list& all) {
  for (const char* mode : {"bilinear", "nearest", "bicubic"})
    all.push_back({.op = "GridSample",
                   .inputs = {f({2, 2, 4, 5}), f({2, 3, 3, 2}, -1.1, 1.1)},
                   .attrs = attrs_of({{"mode", mode}})});
  all.push_back(
      {.op = "RoiAlign",
       .inputs = {f({2, 2, 6, 7}), f({3, 4}, 0, 6), tensor::of<std::int64_t>({3}, {0, 1, 0})},
       .attrs = attrs_of({{"output_height", 2}, {"output_width", 3}, {"sampling_ratio", 2}})});
  all.push_back({.op = "AffineGrid", .inputs = {f({2, 2, 3}), listed({2, 3, 4, 5})}, .opset = 20});
}

void add_normalization(list& all) {
  for (const std::int64_t size : {1, 2, 3, 5})
    all.push_back({.op = "LRN",
                   .inputs = {f({2, 6, 3, 4})},
                   .attrs = attrs_of({{"size", size}, {"alpha", 0.5f}})});
  all.push_back({.op = "BatchNormalization",
                 .inputs = {f({2, 3, 4, 5}), f({3}), f({3}), f({3}), f({3}, 0.5, 2)}});
  all.push_back(
      {.op = "BatchNormalization",
       .inputs = {f({4, 3}), fixed(f({3})), fixed(f({3})), fixed(f({3})), fixed(f({3}, 0.5, 2))}});
  all.push_back({.op = "BatchNormalization",
                 .inputs = {f({2, 3, 4}), f({3}), f({3}), f({3}), f({3}, 0.5, 2)},
                 .attrs = attrs_of({{"training_mode", 1}}),
                 .outputs = 3});
  all.push_back({.op = "InstanceNormalization", .inputs = {f({2, 3, 3, 4}), f({3}), f({3})}});
  all.push_back({.op = "GroupNormalization",
                 .inputs = {f({2, 4, 3, 2}), f({4}), f({4})},
                 .attrs = attrs_of({{"num_groups", 2}}),
                 .opset = 21});
}

} // namespace

void add_windows(list& all) {
  add_convolutions(all);
  add_pools(all);
  add_resizes(all);
  add_sampling(all);
  add_normalization(all);
}

} // namespace shoal::test::examples
