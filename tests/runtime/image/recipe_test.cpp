#include "runtime/base/file.hpp"
#include "runtime/image/recipe.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>

using namespace shoal;

namespace {

recipe recipe_of(const std::string& json) {
  auto made = parse_recipe(bytes_of(json));
  REQUIRE_MESSAGE(made, (made ? "" : made.error().message()));
  return *std::move(made);
}

recipe with_steps(const std::string& steps) {
  return recipe_of(R"({"version": 1, "input": {"scale": 1, "steps": [)" + steps + "]}}");
}

recipe with_output(const std::string& steps) {
  return recipe_of(R"({"version": 1, "output": [)" + steps + "]}");
}

/// What a recipe whose only steps are `steps` makes of a picture, back as a picture.
image picture_after(const std::string& steps, const image& picture) {
  const auto prepared = prepare(with_steps(steps), picture);
  REQUIRE_MESSAGE(prepared, (prepared ? "" : prepared.error().message()));
  return *tensor_to_image(prepared->values, {.white = 255});
}

std::string refusal(const std::string& json) {
  const auto made = parse_recipe(bytes_of(json));
  if (made) return "accepted";
  CHECK(made.error().code() == errc::malformed);
  return made.error().message();
}

std::string input_refusal(const std::string& fields) {
  return refusal(R"({"version": 1, "input": {)" + fields + "}}");
}

std::string output_refusal(const std::string& steps, const std::string& input = "{}") {
  return refusal(R"({"version": 1, "input": )" + input + R"(, "output": [)" + steps + "]}");
}

} // namespace

TEST_CASE("an empty recipe makes float32 [1,3,height,width] in [0, 1]") {
  std::mt19937_64 random(121);
  const auto picture = test::random_picture(7, 5, 3, random);
  const auto prepared = prepare(recipe_of(R"({"version": 1})"), picture);
  REQUIRE(prepared);
  CHECK(identical(prepared->values, *image_to_tensor(picture)));
  REQUIRE(prepared->placements.size() == 1);
  CHECK(prepared->placements[0] == image_placement{1, 1, 0, 0, 7, 5, 7, 5});
}

TEST_CASE("colour, layout, scale, mean, std and dtype of a recipe are those of image_to_tensor") {
  std::mt19937_64 random(122);
  const auto picture = test::random_picture(6, 4, 3, random);
  const auto made = recipe_of(R"({"version": 1, "input": {"colour": "bgr", "layout": "nhwc",
      "scale": 0.5, "mean": [1, 2, 3], "std": 4, "dtype": "float16"}})");
  image_input_options options;
  options.channels = image_channels::bgr;
  options.layout = image_layout::nhwc;
  options.scale = 0.5f;
  options.mean = {1, 2, 3};
  options.deviation = {4, 4, 4};
  options.type = dtype::f16;
  CHECK(identical(prepare(made, picture)->values, *image_to_tensor(picture, options)));
  options = {};
  options.channels = image_channels::luma;
  options.type = dtype::u8;
  options.scale = 1;
  CHECK(identical(
      prepare(recipe_of(R"({"version": 1, "input": {"colour": "luma", "dtype": "uint8"}})"),
              picture)
          ->values,
      *image_to_tensor(picture, options)));
}

TEST_CASE("alpha is dropped, and gray becomes what the recipe asks for") {
  std::mt19937_64 random(123);
  const auto four = test::random_picture(6, 4, 4, random);
  const auto opaque = picture_after("", four);
  for (std::size_t i = 0; i < opaque.pixels.size(); ++i)
    CHECK(opaque.pixels[i] == four.pixels[i / 3 * 4 + i % 3]);
  const auto gray = test::random_picture(6, 4, 1, random);
  const auto boxed =
      picture_after(R"({"letterbox": {"width": 6, "height": 6, "fill": [1, 2, 3]}})", gray);
  CHECK(boxed.channels == 3);
  CHECK(boxed.pixels[0] == 1);
  CHECK(boxed.pixels[2] == 3);
  CHECK(boxed.pixels[6 * 3] == gray.pixels[0]);
  CHECK(boxed.pixels[6 * 3 + 2] == gray.pixels[0]);
}

TEST_CASE("a recipe resizes as Pillow does, by either side or both") {
  std::mt19937_64 random(124);
  const auto wide = test::random_picture(31, 17, 3, random);
  const auto tall = test::random_picture(17, 31, 3, random);
  CHECK(picture_after(R"({"resize": {"width": 9, "height": 40, "filter": "lanczos"}})", wide) ==
        *pillow_resize(wide, 9, 40, pillow_filter::lanczos));
  CHECK(picture_after(R"({"resize": {"shorter_side": 8}})", wide) ==
        *pillow_resize(wide, 14, 8, pillow_filter::bilinear));
  CHECK(picture_after(R"({"resize": {"shorter_side": 8, "filter": "box"}})", tall) ==
        *pillow_resize(tall, 8, 14, pillow_filter::box));
  CHECK(picture_after(R"({"resize": {"longer_side": 20, "filter": "bicubic"}})", wide) ==
        *pillow_resize(wide, 20, 10, pillow_filter::bicubic));
  CHECK(picture_after(R"({"resize": {"longer_side": 20, "filter": "hamming"}})", tall) ==
        *pillow_resize(tall, 10, 20, pillow_filter::hamming));
  CHECK(picture_after(R"({"resize": {"width": 31, "height": 5, "filter": "bicubic", "pillow": 13}},
                         {"resize": {"width": 40, "height": 4, "filter": "bicubic", "pillow": 13}})",
                      wide) == *pillow_resize(*pillow_resize(wide, 31, 5, pillow_filter::bicubic),
                                              40, 4, pillow_filter::bicubic,
                                              pillow_release::from_13));
  const auto line = test::random_picture(1, 50, 3, random);
  CHECK(picture_after(R"({"resize": {"longer_side": 20, "filter": "nearest"}})", line) ==
        *pillow_resize(line, 1, 20, pillow_filter::nearest));
}

TEST_CASE("a letterbox keeps proportions, fills the rest and says where the picture is") {
  std::mt19937_64 random(125);
  const auto picture = test::random_picture(40, 20, 3, random);
  const auto check = [&](const std::string& more, const image& inside, int left, int top) {
    const auto json = R"({"letterbox": {"width": 30, "height": 31, "fill": 114)" + more + "}}";
    auto expected = *make_image(30, 31, 3);
    std::ranges::fill(expected.pixels, std::uint8_t{114});
    const image_window place{left, top, inside.width, inside.height};
    copy_window({inside.pixels.data(), place}, {expected.pixels.data(), {0, 0, 30, 31}}, place, 3);
    const auto prepared = *prepare(with_steps(json), picture);
    CHECK(*tensor_to_image(prepared.values, {.white = 255}) == expected);
    REQUIRE(prepared.placements.size() == 1);
    const auto& where = prepared.placements[0];
    CHECK(where.scale_x == double(inside.width) / 40);
    CHECK(where.scale_y == double(inside.height) / 20);
    CHECK(where.offset_x == left);
    CHECK(where.offset_y == top);
    CHECK(where.input_width == 30);
    CHECK(where.input_height == 31);
  };
  check("", *pillow_resize(picture, 30, 15, pillow_filter::bilinear), 0, 8);
  check(R"(, "place": "corner", "filter": "bicubic")",
        *pillow_resize(picture, 30, 15, pillow_filter::bicubic), 0, 0);

  const auto small = test::random_picture(10, 6, 3, random);
  const auto kept =
      picture_after(R"({"letterbox": {"width": 13, "height": 13, "enlarge": false}})", small);
  CHECK(test::part_of(kept, {1, 3, 10, 6}) == small);
  CHECK(
      picture_after(R"({"letterbox": {"width": 20, "height": 13}})", small) ==
      picture_after(R"({"letterbox": {"width": 20, "height": 13, "filter": "bilinear"}})", small));
}

TEST_CASE("crops are cut where they are said to be, and five make a batch") {
  std::mt19937_64 random(126);
  const auto picture = test::random_picture(20, 15, 3, random);
  CHECK(picture_after(R"({"centre_crop": {"width": 7, "height": 8}})", picture) ==
        test::part_of(picture, {6, 3, 7, 8}));
  const auto five = *prepare(with_steps(R"({"five_crop": {"width": 8, "height": 6}})"), picture);
  CHECK(five.values.dims() == shape{5, 3, 6, 8});
  REQUIRE(five.placements.size() == 5);
  const std::array<std::pair<int, int>, 5> corners{{{0, 0}, {12, 0}, {0, 9}, {12, 9}, {6, 4}}};
  image_input_options plain;
  plain.scale = 1;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto [x, y] = corners[i];
    const auto one = *image_to_tensor(test::part_of(picture, {x, y, 8, 6}), plain);
    CHECK(
        std::equal(one.bytes().begin(), one.bytes().end(),
                   five.values.bytes().begin() + static_cast<std::ptrdiff_t>(i * one.byte_size())));
    CHECK(five.placements[i] == image_placement{1, 1, -double(x), -double(y), 20, 15, 8, 6});
  }
  const auto large = prepare(with_steps(R"({"centre_crop": {"width": 21, "height": 3}})"), picture);
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == errc::invalid_argument);
  CHECK(large.error().message() == "cannot crop 21 x 3 pixels out of 20 x 15");
}

TEST_CASE("boxes come back to where they were, whatever the steps and the format") {
  std::mt19937_64 random(127);
  const auto picture = test::random_picture(200, 100, 3, random);
  for (const char* steps :
       {R"({"letterbox": {"width": 64, "height": 64, "fill": 114}})",
        R"({"resize": {"width": 50, "height": 80}})",
        R"({"resize": {"shorter_side": 60}}, {"centre_crop": {"width": 48, "height": 50}})",
        R"({"letterbox": {"width": 90, "height": 70}}, {"resize": {"width": 33, "height": 44}})"})
    for (const bool normalised : {false, true}) {
      CAPTURE(steps);
      const auto prepared = *prepare(with_steps(steps), picture);
      const auto& at = prepared.placements.at(0);
      // Left, top, right, bottom in the picture, and as a model would say them.
      const std::array<double, 4> box{80, 40, 110, 55};
      const double nx = normalised ? at.input_width : 1, ny = normalised ? at.input_height : 1;
      const double l = (box[0] * at.scale_x + at.offset_x) / nx,
                   t = (box[1] * at.scale_y + at.offset_y) / ny,
                   r = (box[2] * at.scale_x + at.offset_x) / nx,
                   b = (box[3] * at.scale_y + at.offset_y) / ny;
      const auto check = [&](const char* format, std::array<double, 4> said,
                             std::array<double, 4> expected) {
        CAPTURE(format);
        const auto how = with_output(
            fmt::format(R"({{"boxes": {{"format": "{}", "normalised": {}, "first": 1}}}})", format,
                        normalised));
        std::vector<float> values{0.9f};
        for (const double v : said) values.push_back(static_cast<float>(v));
        const auto answer = conclude(
            how, tensor::of<float>({1, 1, 5}, std::span<const float>(values)), prepared.placements);
        REQUIRE(answer);
        const auto found = std::get<tensor>(*answer).values<float>();
        CHECK(found[0] == 0.9f);
        for (std::size_t i = 0; i < 4; ++i)
          CHECK(found[i + 1] == doctest::Approx(expected[i]).epsilon(1e-4));
      };
      check("corners", {l, t, r, b}, box);
      check("corner_size", {l, t, r - l, b - t}, {80, 40, 30, 15});
      check("centre_size", {(l + r) / 2, (t + b) / 2, r - l, b - t}, {95, 47.5, 30, 15});
    }
}

TEST_CASE("boxes are cut to the picture unless told otherwise, along any axis") {
  const std::vector<image_placement> place{{1, 1, 0, 0, 100, 50, 100, 50}};
  const auto boxes = tensor::of<float>({1, 4, 2}, {-5, 10, -6, 10, 300, 20, 70, 20});
  const auto cut = *conclude(with_output(R"({"boxes": {"axis": 1}})"), boxes, place);
  CHECK(identical(std::get<tensor>(cut),
                  tensor::of<float>({1, 4, 2}, {0, 10, 0, 10, 100, 20, 50, 20})));
  const auto whole =
      *conclude(with_output(R"({"boxes": {"axis": -2, "clip": false}})"), boxes, place);
  CHECK(identical(std::get<tensor>(whole), boxes));

  const auto few = conclude(with_output(R"({"boxes": {}})"), boxes, place);
  REQUIRE_FALSE(few);
  CHECK(few.error().message() ==
        "boxes: expected 4 numbers from 0 on along axis -1 of float32[1,4,2]");
  CHECK(conclude(with_output(R"({"boxes": {}})"), boxes).error().message() ==
        "boxes: expected the placement of one picture, got 0");
}

TEST_CASE("softmax, the mean of crops and the best classes follow from the scores") {
  const auto scores = tensor::of<float>({2, 3}, {0, 1, 2, 3, 0, 0});
  const auto soft = std::get<tensor>(*conclude(with_output(R"({"softmax": {}})"), scores));
  const double sum = 1 + std::exp(1.0) + std::exp(2.0);
  CHECK(soft.values<float>()[2] == doctest::Approx(std::exp(2.0) / sum));
  const auto down = std::get<tensor>(*conclude(with_output(R"({"softmax": {"axis": 0}})"), scores));
  CHECK(down.values<float>()[0] == doctest::Approx(1 / (1 + std::exp(3.0))));
  CHECK(conclude(with_output(R"({"softmax": {"axis": 2}})"), scores).error().message() ==
        "softmax: expected float32 with an axis 2, got float32[2,3]");

  auto top = with_output(R"({"top_k": {"count": 2, "labels": "l.txt"}})");
  top.labels = {"a", "b", "c"};
  const auto classes = std::get<1>(*conclude(top, scores));
  REQUIRE(classes.size() == 2);
  CHECK(classes[0] == std::vector<scored_class>{{2, 2, "c"}, {1, 1, "b"}});
  CHECK(classes[1] == std::vector<scored_class>{{0, 3, "a"}, {1, 0, "b"}});

  const auto mean = recipe_of(R"({"version": 1,
      "input": {"steps": [{"five_crop": {"width": 2, "height": 2}}]},
      "output": [{"average_crops": {}}]})");
  CHECK(identical(std::get<tensor>(*conclude(mean, scores)),
                  tensor::of<float>({1, 3}, {1.5f, 0.5f, 1})));
}

TEST_CASE("an output becomes a picture") {
  const auto values = tensor::of<float>({1, 3, 1, 1}, {1, 2, 4});
  const auto made =
      std::get<image>(*conclude(with_output(R"({"image": {"white": 4, "bgr": true}})"), values));
  CHECK(made == image{1, 1, 3, {255, 128, 64}});
}

TEST_CASE("a recipe is read with the labels beside it") {
  test::temporary_folder folder;
  const auto path = recipe_path_for(folder.path() / "model.onnx");
  CHECK(path == folder.path() / "model.recipe.json");
  CHECK(read_recipe(path).error().code() == errc::not_found);
  REQUIRE(replace_file(
      path,
      std::array{bytes_of(
          R"({"version": 1, "output": [{"softmax": {}}, {"top_k": {"count": 3, "labels": "names"}}]})")}));
  CHECK(read_recipe(path).error().code() == errc::not_found);
  REQUIRE(replace_file(folder.path() / "names", std::array{bytes_of("cat\ndog\n")}));
  const auto made = read_recipe(path);
  REQUIRE(made);
  CHECK(made->labels == std::vector<std::string>{"cat", "dog"});
  REQUIRE(replace_file(path, std::array{bytes_of("{}")}));
  CHECK(read_recipe(path).error().message() ==
        path.string() + ": $: expected 'version', an integer from 1 to 1");
}

TEST_CASE("a wrong recipe is refused with the path of what is wrong") {
  CHECK(refusal("{").starts_with("recipe: no JSON: "));
  CHECK(refusal("[]") == "$: expected an object, got []");
  CHECK(refusal(R"({"version": 2})") == "$.version: expected an integer from 1 to 1, got 2");
  CHECK(refusal(R"({"version": 1, "inputs": {}})") ==
        "$: unknown key \"inputs\"; known are input, output, version");
  CHECK(refusal(R"({"version": 1, "input": {"std": 1, "std": 2}})") ==
        "recipe: key \"std\" is there twice");
  CHECK(refusal(std::string(100'000, '[')).starts_with("recipe: no JSON: "));
  CHECK(refusal("{\"version\": " + std::string(400'000, '[') + std::string(400'000, ']') + "}") ==
        "recipe: nested deeper than 16 levels");
  CHECK(input_refusal(R"("colour": "RGB")") ==
        R"($.input.colour: expected one of "rgb", "bgr", "luma", got "RGB")");
  CHECK(input_refusal(R"("dtype": 7)") ==
        R"($.input.dtype: expected one of "float32", "float16", "uint8", got 7)");
  CHECK(input_refusal(R"("mean": [1, 2])") ==
        "$.input.mean: expected a number, or an array of three, got [1,2]");
  CHECK(input_refusal(R"("mean": [1, 2, "x"])") == "$.input.mean[2]: expected a number, got \"x\"");
  CHECK(input_refusal(R"("std": [1, 0, 1])") ==
        "$.input.std: expected numbers other than 0, got [1,0,1]");
  CHECK(input_refusal(R"("scale": 1e39)") == "$.input.scale: expected a number, got 1e+39");
  CHECK(input_refusal(R"("dtype": "uint8", "mean": 1)") ==
        "$.input.mean: contradicts dtype \"uint8\", which takes 0 to 255");
  CHECK(input_refusal(R"("steps": {})") ==
        "$.input.steps: expected an array of at most 16 steps, got {}");
  CHECK(input_refusal(R"("steps": [{"resize": {"width": 3, "height": 3}, "crop": {}}])")
            .starts_with("$.input.steps[0]: expected one key, the name of a step, got "));
  CHECK(input_refusal(R"("steps": [{"crop": {}}])") ==
        "$.input.steps[0]: unknown key \"crop\"; known are centre_crop, five_crop, letterbox, "
        "resize");
  CHECK(input_refusal(R"("steps": [{"resize": {"width": 3, "shorter_side": 3}}])") ==
        "$.input.steps[0].resize: expected either 'width' and 'height' or 'shorter_side' or "
        "'longer_side'");
  CHECK(input_refusal(R"("steps": [{"resize": {"width": 3}}])") ==
        "$.input.steps[0].resize: expected 'height', an integer from 1 to 65536");
  CHECK(input_refusal(R"("steps": [{"resize": {"shorter_side": 1e30}}])") ==
        "$.input.steps[0].resize.shorter_side: expected an integer from 1 to 65536, got 1e+30");
  CHECK(input_refusal(R"("steps": [{"resize": {"shorter_side": 18446744073709551615}}])")
            .ends_with("from 1 to 65536, got 18446744073709551615"));
  CHECK(input_refusal(R"("steps": [{"resize": {"shorter_side": 9, "sise": 3}}])") ==
        "$.input.steps[0].resize: unknown key \"sise\"; known are filter, height, longer_side, "
        "pillow, shorter_side, width");
  CHECK(input_refusal(R"("steps": [{"resize": {"shorter_side": 9, "pillow": 11}}])") ==
        "$.input.steps[0].resize.pillow: expected an integer from 12 to 13, got 11");
  CHECK(input_refusal(R"("steps": [{"letterbox": {"width": 3, "height": 3, "fill": 256}}])") ==
        "$.input.steps[0].letterbox.fill: expected integers from 0 to 255, got 256");
  CHECK(input_refusal(R"("steps": [{"letterbox": {"width": 3, "height": 3, "enlarge": 1}}])") ==
        "$.input.steps[0].letterbox.enlarge: expected true or false, got 1");
  CHECK(
      input_refusal(
          R"("steps": [{"five_crop": {"width": 3, "height": 3}}, {"resize": {"shorter_side": 3}}])") ==
      "$.input.steps[1]: no step may follow five_crop");
}

TEST_CASE("output steps that contradict each other are refused") {
  const std::string five = R"({"steps": [{"five_crop": {"width": 3, "height": 3}}]})";
  CHECK(output_refusal(R"({"top_k": {"count": 1}}, {"softmax": {}})") ==
        "$.output[1]: no step may follow top_k, image or boxes");
  CHECK(output_refusal(R"({"softmax": {}}, {"softmax": {}})") ==
        "$.output[1]: softmax a second time");
  CHECK(output_refusal(R"({"softmax": {}}, {"image": {}})") ==
        "$.output[1]: image contradicts softmax and five_crop");
  CHECK(output_refusal(R"({"boxes": {}})", five) ==
        "$.output[0]: boxes contradict softmax and five_crop");
  CHECK(output_refusal(R"({"average_crops": {}})") ==
        "$.output[0]: average_crops needs five_crop among the steps of the input");
  CHECK(output_refusal(R"({"top_k": {}})") ==
        "$.output[0].top_k: expected 'count', an integer from 1 to 1048576");
  CHECK(output_refusal(R"({"image": {"white": 0}})") ==
        "$.output[0].image.white: expected a positive number, got 0");
  for (const char* name : {"../l.txt", "/etc/passwd", "..", "", "a\\u0000b"})
    CHECK(output_refusal(fmt::format(R"({{"top_k": {{"count": 1, "labels": "{}"}}}})", name))
              .starts_with("$.output[0].top_k.labels: expected the name of a file beside the "
                           "recipe, got "));
}
