#include "runtime/operators/arguments.hpp"
#include "runtime/operators/control_flow.hpp"
#include "runtime/operators/operators.hpp"

#include <limits>

namespace shoal::operators {
namespace {

/// A loop that has no trip count and whose condition stays true would never end.
constexpr std::int64_t most_iterations = std::int64_t{1} << 24;

result<void> check(const graph_node& node) {
  return control_flow::expect_body(node, "body");
}

/// The trip count; nothing when it is left out.
result<std::optional<std::int64_t>> trip_count(const node_context& c) {
  if (!c.has(0)) return std::optional<std::int64_t>();
  const auto& m = *c.inputs[0].constant;
  if (m.element_type() != dtype::i64 || m.element_count() != 1)
    return arguments::refuse(c, errc::invalid_argument,
                             "expected a trip count of one int64, got {}", to_string(m.type()));
  return std::optional(m.values<std::int64_t>()[0]);
}

/// What the body gives once per iteration, and the loop joined along a new first axis.
class scan_outputs {
 public:
  explicit scan_outputs(std::size_t count) : rows_(count) {}

  void take(std::span<tensor> outputs) {
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].push_back(std::move(outputs[i]));
  }

  /// Appends them to `outputs`. Without an iteration their type is what the body declares.
  result<void> join(const node_context& c, const graph& body, std::vector<tensor>& outputs) const {
    const auto declared = body.outputs().last(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].empty()) {
        SHOAL_TRY(outputs.emplace_back(), none(c, body.value(declared[i])));
      } else {
        SHOAL_TRY(outputs.emplace_back(), control_flow::stack(c, rows_[i], 0, false));
      }
    }
    return {};
  }

 private:
  static result<tensor> none(const node_context& c, const graph_value& declared) {
    if (!declared.type)
      return arguments::refuse(c, errc::unsupported,
                               "the body did not run, and does not say of which type '{}' is",
                               declared.name);
    shape dims{0};
    if (declared.dims)
      for (const auto& d : *declared.dims) dims.push_back(std::max<std::int64_t>(d.extent, 0));
    return tensor::allocate({*declared.type, dims});
  }

  std::vector<std::vector<tensor>> rows_;
};

result<std::vector<tensor>> run(const node_context& c, body_runner& bodies) {
  const auto& body = *c.attrs().get<graph_body>("body")->code;
  SHOAL_TRY(const auto trips, trip_count(c));
  bool on = true;
  if (c.has(1)) {
    SHOAL_TRY(on, control_flow::condition(c, *c.inputs[1].constant));
  }
  const std::size_t carried = c.inputs.size() < 2 ? 0 : c.inputs.size() - 2;
  if (body.outputs().size() < 1 + carried)
    return arguments::refuse(c, errc::malformed, "the body has {} outputs, at least {} are needed",
                             body.outputs().size(), 1 + carried);
  std::vector<tensor> state;
  for (std::size_t i = 0; i < carried; ++i) {
    if (!c.has(i + 2))
      return arguments::refuse(c, errc::malformed, "the initial value {} is left out", i);
    state.push_back(*c.inputs[i + 2].constant);
  }
  scan_outputs scans(body.outputs().size() - 1 - carried);
  for (std::int64_t i = 0; on && (!trips || i < *trips); ++i) {
    if (i == most_iterations)
      return arguments::refuse(c, errc::resource_exhausted, "no end after {} iterations", i);
    std::vector<tensor> inputs{tensor::of<std::int64_t>({}, {i}), tensor::of<bool>({}, {true})};
    inputs.insert(inputs.end(), state.begin(), state.end());
    state.clear(); // the body may write where nobody else reads
    SHOAL_TRY(auto outputs, bodies.run("body", inputs));
    SHOAL_TRY(on, control_flow::condition(c, outputs[0]));
    const auto rest = std::span(outputs).subspan(1);
    state.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(carried));
    scans.take(rest.subspan(carried));
  }
  SHOAL_CHECK(scans.join(c, body, state));
  return state;
}

} // namespace

const operator_def loop{.name = "Loop",
                        .min_inputs = 0,
                        .max_inputs = -1,
                        .max_outputs = -1,
                        .check = check,
                        .run_bodies = run};

} // namespace shoal::operators
