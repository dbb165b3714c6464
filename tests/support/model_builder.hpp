#pragma once

#include "runtime/graph/graph.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shoal::test {

/// Small numbers that are the same on every machine: what the weights of test models are made of.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// In [0, n); n > 0.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  bool chance(int one_in) { return below(one_in) == 0; }
  float uniform(float low, float high) {
    return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
  }
  /// Uniform with mean 0 and this standard deviation.
  tensor tensor_of(const shape& dims, float deviation, float mean = 0);

 private:
  std::uint64_t state_; ///< of SplitMix64 (Steele, Lea & Flood 2014)
};

/// Writes models down as code that exports them would: one call per node, weights made on the way.
/// Values are called like the node that makes them. For tests: an unknown operator ends the
/// program.
class model_builder {
 public:
  model_builder(std::string name, int opset, std::uint64_t seed);

  /// An extent is a number or a symbol, as in {"N", 3, 224, 224}.
  struct extent : dimension {
    extent(std::int64_t fixed) : dimension{fixed, ""} {}
    extent(int fixed) : dimension{fixed, ""} {}
    extent(const char* open) : dimension{-1, open} {}
  };
  value_id input(std::string name, dtype type, std::vector<extent> dims);
  /// Constants get made-up names.
  value_id constant(tensor content);
  value_id ints(std::initializer_list<std::int64_t> values);
  value_id scalar(float value);
  value_id random(const shape& dims, float deviation, float mean = 0);

  /// `path` precedes the name that is made up from the operator and a number.
  value_id node(std::string_view op, std::vector<value_id> inputs, attributes attrs = {},
                std::string_view domain = "");
  std::vector<value_id> node_of(std::size_t outputs, std::string_view op,
                                std::vector<value_id> inputs, attributes attrs = {},
                                std::string_view domain = "");
  /// Names of nodes from here on start with `path`.
  void enter(std::string path) { path_ = std::move(path); }

  void output(value_id id, std::string name, dtype type = dtype::f32);
  int opset() const { return opset_; }
  random_numbers& numbers() { return numbers_; }
  graph build() &&;

 private:
  graph_builder b_;
  int opset_;
  random_numbers numbers_;
  std::string path_;
};

/// {{"axis", 1}, …} in one expression.
attributes attrs_of(std::initializer_list<std::pair<std::string, attribute>> entries);

} // namespace shoal::test
