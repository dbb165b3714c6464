#include "runtime/base/file.hpp"
#include "runtime/tensor/labels.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

using namespace shoal;

TEST_CASE("labels are the lines of a file, whatever ends them") {
  test::temporary_folder folder;
  const auto path = folder.path() / "labels.txt";
  const auto labels = [&](std::string_view text) {
    REQUIRE(replace_file(path, std::array{bytes_of(text)}));
    return *read_labels(path);
  };
  CHECK(labels("tabby cat\ndog\n") == std::vector<std::string>{"tabby cat", "dog"});
  CHECK(labels("cat\r\n\r\ndog") == std::vector<std::string>{"cat", "", "dog"});
  CHECK(labels("").empty());
  CHECK(read_labels(folder.path() / "none").error().code() == errc::not_found);
}

TEST_CASE("the best classes come first, equal scores by index, NaN last") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto scores = tensor::of<float>({1, 5, 1}, {0.25f, nan, 0.5f, 0.25f, 0.5f});
  const std::vector<std::string> labels{"a", "b", "c"};
  const auto best = *top_classes(scores, 4, labels);
  CHECK(best ==
        std::vector<scored_class>{{2, 0.5, "c"}, {4, 0.5, ""}, {0, 0.25, "a"}, {3, 0.25, ""}});
  CHECK(top_classes(scores, 99)->size() == 5);
  CHECK(top_classes(scores, 99)->back().index == 1);
  CHECK(top_classes(scores, 0)->empty());
}

TEST_CASE("softmax sums to one and does not overflow") {
  const auto scores = tensor::of<float>({3}, {1000, 1001, 1002});
  const auto best = *top_classes(scores, 3, {}, score_transform::softmax);
  const double e = std::exp(1.0);
  CHECK(best[0].index == 2);
  CHECK(best[0].score == doctest::Approx(e * e / (1 + e + e * e)));
  CHECK(best[0].score + best[1].score + best[2].score == doctest::Approx(1));
}

TEST_CASE("scores of every floating type are ranked, others and batches refused") {
  CHECK(top_classes(tensor::of<double>({2}, {1, 2}), 1)->front().index == 1);
  CHECK(top_classes(tensor::of<half>({2}, {half(1.0f), half(2.0f)}), 1)->front().index == 1);
  CHECK(
      top_classes(tensor::of<bfloat16>({2}, {bfloat16(1.0f), bfloat16(2.0f)}), 1)->front().score ==
      2);
  CHECK(top_classes(tensor::of<float>({}, {1}), 1)->size() == 1);
  CHECK(top_classes(tensor::of<int>({2}, {1, 2}), 1).error().code() == errc::invalid_argument);
  CHECK(top_classes(tensor::of<float>({2, 2}, {1, 2, 3, 4}), 1).error().code() ==
        errc::invalid_argument);
  CHECK(top_classes(tensor::of<float>({0}, {}), 5)->empty());
}
