#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

using ints = std::vector<std::int64_t>;

/// Unigrams 2 and 3, bigrams 5 6 and 7 8, in columns 0 to 3.
node_case counting(const tensor& in, const char* mode, std::int64_t skipped) {
  node_case test{.op = "TfIdfVectorizer", .inputs = {in}};
  test.attrs.set("mode", std::string(mode));
  test.attrs.set("min_gram_length", std::int64_t{1});
  test.attrs.set("max_gram_length", std::int64_t{2});
  test.attrs.set("max_skip_count", skipped);
  test.attrs.set("ngram_counts", ints{0, 2});
  test.attrs.set("ngram_indexes", ints{0, 1, 2, 3});
  test.attrs.set("pool_int64s", ints{2, 3, 5, 6, 7, 8});
  test.attrs.set("weights", std::vector<float>{2, 3, 4, 5});
  return test;
}

const tensor text = tensor::of<std::int64_t>({2, 6}, {2, 5, 6, 5, 6, 2, 7, 2, 8, 5, 2, 6});

} // namespace

TEST_CASE("TfIdfVectorizer counts n-grams, with items skipped between theirs") {
  CHECK(
      identical(run(counting(text, "TF", 0)), tensor::of<float>({2, 4}, {2, 0, 2, 0, 2, 0, 0, 0})));
  CHECK(
      identical(run(counting(text, "TF", 1)), tensor::of<float>({2, 4}, {2, 0, 2, 0, 2, 0, 1, 1})));
  CHECK(identical(run(counting(text, "TF", INT64_MAX)),
                  tensor::of<float>({2, 4}, {2, 0, 3, 0, 2, 0, 1, 1})));
}

TEST_CASE("TfIdfVectorizer weighs what it counts") {
  CHECK(identical(run(counting(text, "IDF", 0)),
                  tensor::of<float>({2, 4}, {2, 0, 4, 0, 2, 0, 0, 0})));
  CHECK(identical(run(counting(text, "TFIDF", 0)),
                  tensor::of<float>({2, 4}, {4, 0, 8, 0, 4, 0, 0, 0})));
}

TEST_CASE("TfIdfVectorizer takes a single text, shorter than its n-grams, and none") {
  CHECK(identical(run(counting(tensor::of<std::int32_t>({1}, {3}), "TF", 5)),
                  tensor::of<float>({4}, {0, 1, 0, 0})));
  CHECK(identical(run(counting(tensor::of<std::int32_t>({0}, {}), "TF", 5)),
                  tensor::of<float>({4}, {0, 0, 0, 0})));
}

TEST_CASE("TfIdfVectorizer splits along the batch") {
  CHECK(split_is_wrong(counting(text, "TF", 1), {0}, 0) == "");
  CHECK(split_is_wrong(counting(text, "TF", 1), {1}, std::nullopt) == "");
  CHECK(field_is_wrong(counting(text, "TF", 1), 0, 0) == "");
}

TEST_CASE("TfIdfVectorizer refuses pools that do not fit together") {
  const auto refused = [](std::string name, attribute value) {
    auto test = counting(text, "TF", 0);
    test.attrs.set(std::move(name), std::move(value));
    return !run_node(test);
  };
  CHECK(refused("ngram_counts", ints{0, 3}));
  CHECK(refused("ngram_counts", ints{0, 99}));
  CHECK(refused("ngram_counts", ints{4, 2}));
  CHECK(refused("ngram_indexes", ints{0, 1, 2}));
  CHECK(refused("ngram_indexes", ints{0, 1, 2, -3}));
  CHECK(refused("ngram_indexes", ints{0, 1, 2, INT64_MAX}));
  CHECK(refused("pool_int64s", ints{2, 3, 5, 6, 5, 6}));
  CHECK(refused("weights", std::vector<float>{1}));
  CHECK(refused("min_gram_length", std::int64_t{0}));
}
