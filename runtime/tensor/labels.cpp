#include "runtime/tensor/labels.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace shoal {
namespace {

constexpr std::uint64_t max_labels_bytes = std::uint64_t{16} << 20;

template <class T>
std::vector<double> as_doubles(std::span<const T> values) {
  std::vector<double> numbers;
  numbers.reserve(values.size());
  for (const T value : values) numbers.push_back(static_cast<double>(value));
  return numbers;
}

result<std::vector<double>> score_values(const tensor& scores) {
  int axes = 0;
  for (const auto extent : scores.dims()) axes += extent != 1;
  if (axes > 1)
    return fail(errc::invalid_argument, "expected the scores of one item, got {}",
                to_string(scores.type()));
  switch (scores.element_type()) {
  case dtype::f32:
    return as_doubles(scores.values<float>());
  case dtype::f64:
    return as_doubles(scores.values<double>());
  case dtype::f16:
    return as_doubles(scores.values<half>());
  case dtype::bf16:
    return as_doubles(scores.values<bfloat16>());
  default:
    break;
  }
  return fail(errc::invalid_argument, "expected floating-point scores, got {}",
              to_string(scores.type()));
}

void apply_softmax(std::vector<double>& scores) {
  double top = -std::numeric_limits<double>::infinity();
  for (const double score : scores) top = std::fmax(top, score); // passes over NaN
  double sum = 0;
  for (auto& score : scores) sum += score = std::exp(score - top);
  for (auto& score : scores) score /= sum;
}

} // namespace

result<std::vector<std::string>> read_labels(const std::filesystem::path& path) {
  SHOAL_TRY(const auto text, read_file(path, max_labels_bytes));
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    labels.emplace_back(line);
    begin = end + 1;
  }
  return labels;
}

result<std::vector<scored_class>> top_classes(const tensor& scores, std::size_t count,
                                              std::span<const std::string> labels,
                                              score_transform transform) {
  SHOAL_TRY(auto values, score_values(scores));
  if (transform == score_transform::softmax) apply_softmax(values);
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    const bool a_is_nan = std::isnan(values[a]);
    const bool b_is_nan = std::isnan(values[b]);
    if (a_is_nan != b_is_nan) return b_is_nan;
    if (!a_is_nan && values[a] != values[b]) return values[a] > values[b];
    return a < b;
  });
  std::vector<scored_class> best;
  best.reserve(count);
  for (auto place = order.begin(); place != middle; ++place)
    best.push_back({static_cast<std::int64_t>(*place), values[*place],
                    *place < labels.size() ? labels[*place] : std::string()});
  return best;
}

} // namespace shoal
