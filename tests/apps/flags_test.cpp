#include "apps/command/image_flags.hpp"
#include "apps/command/named_words.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

using namespace shoal;

TEST_SUITE_BEGIN("apps");

TEST_CASE("names end at the first equals sign") {
  CHECK(split_named("x.npy").name.empty());
  CHECK(split_named("x.npy").words == "x.npy");
  CHECK(split_named("image=x.npy").name == "image");
  CHECK(split_named("image=a=b.npy").words == "a=b.npy");
  CHECK(split_named("=a=b.npy").name.empty());
  CHECK(split_named("=a=b.npy").words == "a=b.npy");
}

TEST_CASE("shapes are read, and what is none is refused") {
  REQUIRE(parse_shape("1x3x224x224"));
  CHECK(*parse_shape("1x3x224x224") == shape{1, 3, 224, 224});
  CHECK(*parse_shape("7") == shape{7});
  CHECK(*parse_shape("") == shape{});
  CHECK(*parse_shape("0x2") == shape{0, 2});
  for (const auto* wrong : {"x", "1x", "x1", "1xx2", "-1", "1,2", "a", "1x 2", "1x1x1x1x1x1x1x1x1",
                            "99999999999999999999", "4294967296x4294967296"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_shape(wrong));
  }
}

TEST_CASE("the flags for pictures become options, and wrong ones wrong usage") {
  const auto parse = [](std::vector<std::string> words, image_flags& flags) {
    CLI::App app;
    flags.add_to(app);
    std::ranges::reverse(words);
    app.parse(words);
  };
  image_flags flags;
  parse({"--shorter-side", "256", "--crop", "224x200", "--mean", "1,2,3", "--std", "4",
         "--channels", "bgr", "--layout", "nhwc", "--filter", "area"},
        flags);
  CHECK(flags.options.resize == resize_mode::shorter_side);
  CHECK(flags.options.shorter_side == 256);
  CHECK(flags.options.crop_width == 224);
  CHECK(flags.options.crop_height == 200);
  CHECK(flags.options.mean == std::array<float, 3>{1, 2, 3});
  CHECK(flags.options.deviation == std::array<float, 3>{4, 4, 4});
  CHECK(flags.options.channels == image_channels::bgr);
  CHECK(flags.options.layout == image_layout::nhwc);
  CHECK(flags.options.filter == resize_filter::area);
  CHECK(flags.for_type(dtype::f32).scale == 1.0f / 255.0f);
  CHECK(flags.for_type(dtype::u8).scale == 1.0f);
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{"--resize", "224"},
                                             {"--resize", "0x5"},
                                             {"--resize", "5x5x5"},
                                             {"--mean", "1,2"},
                                             {"--mean", "a"},
                                             {"--std", "1,2,3,4"},
                                             {"--channels", "cmyk"},
                                             {"--resize", "5x5", "--shorter-side", "5"}}) {
    CAPTURE(wrong.front());
    image_flags spoilt;
    CHECK_THROWS_AS(parse(wrong, spoilt), CLI::ParseError);
  }
}

TEST_CASE("elements are converted where nothing but precision is lost") {
  const auto bytes = tensor::of<std::uint8_t>({3}, {0, 7, 255});
  const auto floats = convert_elements(bytes, dtype::f32);
  REQUIRE(floats);
  CHECK(floats->values<float>()[2] == 255.0f);
  const auto doubles = tensor::of<double>({2}, {0.5, -2});
  REQUIRE(convert_elements(doubles, dtype::f16));
  const auto narrow = tensor::of<std::int32_t>({1}, {-5});
  const auto wide = convert_elements(narrow, dtype::i64);
  REQUIRE(wide);
  CHECK(wide->values<std::int64_t>()[0] == -5);
  CHECK_FALSE(convert_elements(narrow, dtype::u64));
  CHECK_FALSE(convert_elements(narrow, dtype::i8));
  CHECK_FALSE(convert_elements(narrow, dtype::f32));
  const auto refused = convert_elements(doubles, dtype::i32);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("expected int32, got float64") == 0);
}

TEST_CASE("what a file holds is told by its bytes, then by its name") {
  const test::temporary_folder folder;
  const auto values = tensor::of<float>({2}, {1, 2});
  REQUIRE(write_npy(folder.path() / "odd.png", values));
  const auto format = format_of_file(folder.path() / "odd.png");
  REQUIRE(format);
  CHECK(*format == tensor_format::npy);
  REQUIRE(write_bytes(folder.path() / "x.pb", bytes_of("?")));
  REQUIRE(format_of_file(folder.path() / "x.pb"));
  CHECK(*format_of_file(folder.path() / "x.pb") == tensor_format::proto);
  REQUIRE(write_bytes(folder.path() / "notes.txt", bytes_of("hello")));
  const auto unknown = format_of_file(folder.path() / "notes.txt");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message().find("notes.txt is neither") != std::string::npos);
  CHECK(format_of_file(folder.path() / "missing.npy").error().code() == errc::not_found);
}

TEST_SUITE_END();
