#include "kernels/reference/ngrams.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

using reference::ngram_pool;

std::optional<ngram_pool::mode> mode_of(const attributes& attrs) {
  const auto name = attrs.get_string("mode", "");
  if (name == "TF") return ngram_pool::mode::count;
  if (name == "IDF") return ngram_pool::mode::weight;
  if (name == "TFIDF") return ngram_pool::mode::weighted_count;
  return std::nullopt;
}

/// The pool in the form that is searched. `ngram_counts` has, for each length of n-grams, where in
/// the list of all their items those of this length start.
result<ngram_pool> read_pool(const graph_node& node) {
  const auto& attrs = node.attrs;
  const auto wrong = [&](std::string_view what) { return node_error(node, errc::malformed, what); };
  ngram_pool pool;
  pool.shortest = attrs.get_int("min_gram_length", 0);
  pool.longest = attrs.get_int("max_gram_length", 0);
  pool.most_skipped = attrs.get_int("max_skip_count", 0);
  const auto starts = attrs.get_ints("ngram_counts"), items = attrs.get_ints("pool_int64s"),
             columns = attrs.get_ints("ngram_indexes");
  const auto* weights = attrs.get<std::vector<float>>("weights");
  if (attrs.contains("pool_strings"))
    return node_error(node, errc::unsupported,
                      "n-grams of strings; those of integers are supported");
  const auto mode = mode_of(attrs);
  if (!mode) return wrong("mode is none of TF, IDF and TFIDF");
  pool.counted = *mode;
  if (pool.shortest < 1 || pool.longest < pool.shortest || pool.most_skipped < 0)
    return wrong("min_gram_length, max_gram_length or max_skip_count is out of range");
  if (weights != nullptr && weights->size() != columns.size())
    return wrong("weights and ngram_indexes have different lengths");
  std::size_t id = 0;
  for (std::size_t n = 1; n <= starts.size(); ++n) {
    const auto total = static_cast<std::int64_t>(items.size());
    const auto first = starts[n - 1], last = n < starts.size() ? starts[n] : total;
    if (first < 0 || first > last || last > total || (last - first) % static_cast<std::int64_t>(n))
      return wrong("ngram_counts does not fit the pool");
    for (auto at = first; at < last; at += static_cast<std::int64_t>(n), ++id) {
      if (id >= columns.size() || columns[id] < 0)
        return wrong("ngram_indexes does not fit the pool");
      const auto from = items.begin() + at;
      pool.ngrams.push_back({{from, from + static_cast<std::int64_t>(n)},
                             columns[id],
                             weights == nullptr ? 1 : (*weights)[id]});
    }
  }
  if (id != columns.size()) return wrong("ngram_indexes does not fit the pool");
  std::sort(pool.ngrams.begin(), pool.ngrams.end(),
            [](const auto& a, const auto& b) { return a.items < b.items; });
  const auto twice =
      std::adjacent_find(pool.ngrams.begin(), pool.ngrams.end(),
                         [](const auto& a, const auto& b) { return a.items == b.items; });
  if (twice != pool.ngrams.end()) return wrong("the pool has an n-gram twice");
  return pool;
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(read_pool(node));
  return {};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::i32, dtype::i64}));
  const auto& x = c.dims(0);
  if (x.rank() < 1 || x.rank() > 2)
    return arguments::refuse(c, errc::invalid_argument, "input 0: expected [C] or [N,C], got {}",
                             to_string(x));
  std::int64_t columns = 0;
  for (const auto column : c.attrs().get_ints("ngram_indexes")) {
    if (column == INT64_MAX)
      return arguments::refuse(c, errc::malformed, "ngram_indexes has {}", column);
    columns = std::max(columns, column + 1);
  }
  shape y = x;
  y[y.rank() - 1] = columns;
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  return arguments::one_output(dtype::f32, checked);
}

std::optional<interval> field(const node_context& c, std::size_t, int axis, interval wanted) {
  if (axis != 0 || c.dims(0).rank() != 2) return std::nullopt;
  return wanted;
}

std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  if (split[0] != 0 || c.dims(0).rank() != 2) return std::nullopt;
  return 0;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(auto pool, read_pool(c.node));
  const auto& x = c.dims(0);
  const auto rows = x.element_count(0, x.rank() - 1), length = x[x.rank() - 1];
  const auto columns = c.outputs[0].dims[x.rank() - 1];
  return function_kernel([pool = std::move(pool), rows, length, columns](const kernel_io& io) {
    reference::count_ngrams(pool, io.inputs[0], rows, length, io.outputs[0], columns);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def tfidf_vectorizer{
    .name = "TfIdfVectorizer",
    .first_opset = 9,
    .check = check,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = kernels,
};

} // namespace shoal::operators
