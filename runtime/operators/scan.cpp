#include "runtime/operators/arguments.hpp"
#include "runtime/operators/control_flow.hpp"
#include "runtime/operators/operators.hpp"

#include <cstring>

namespace shoal::operators {
namespace {

result<void> check(const graph_node& node) {
  SHOAL_CHECK(control_flow::expect_body(node, "body"));
  const auto scanned = node.attrs.get_int("num_scan_inputs", 0);
  if (scanned < 1 || scanned > static_cast<std::int64_t>(node.own_inputs().size()))
    return node_error(node, errc::malformed,
                      fmt::format("num_scan_inputs is {}, but there are {} inputs", scanned,
                                  node.own_inputs().size()));
  return {};
}

/// Attribute `name` has one number per scan input or output; zeros where it is left out.
result<std::vector<std::int64_t>> numbers(const node_context& c, std::string_view name,
                                          std::size_t count) {
  const auto given = c.attrs().get_ints(name);
  if (given.empty()) return std::vector<std::int64_t>(count, 0);
  if (given.size() != count)
    return arguments::refuse(c, errc::malformed, "{} has {} numbers, expected {}", name,
                             given.size(), count);
  return std::vector<std::int64_t>(given.begin(), given.end());
}

/// How the inputs are walked through and the outputs put together.
struct scan_order {
  std::size_t states = 0, scanned = 0, outputs = 0;
  std::vector<std::int64_t> input_axes, input_directions, output_axes, output_directions;
};

result<scan_order> read_order(const node_context& c, const graph& body) {
  scan_order order;
  order.scanned = static_cast<std::size_t>(c.attrs().get_int("num_scan_inputs", 0));
  order.states = c.inputs.size() - order.scanned;
  if (body.outputs().size() < order.states)
    return arguments::refuse(c, errc::malformed, "the body has {} outputs for {} states",
                             body.outputs().size(), order.states);
  order.outputs = body.outputs().size() - order.states;
  SHOAL_TRY(order.input_axes, numbers(c, "scan_input_axes", order.scanned));
  SHOAL_TRY(order.input_directions, numbers(c, "scan_input_directions", order.scanned));
  SHOAL_TRY(order.output_axes, numbers(c, "scan_output_axes", order.outputs));
  SHOAL_TRY(order.output_directions, numbers(c, "scan_output_directions", order.outputs));
  return order;
}

/// One sequence: `state` goes in and comes out; the result is the scan outputs.
result<std::vector<tensor>> scan_through(const node_context& c, body_runner& bodies,
                                         const scan_order& order, std::vector<tensor>& state,
                                         std::span<const tensor> sequences) {
  std::int64_t length = -1;
  std::vector<int> axes;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const auto& dims = sequences[s].dims();
    SHOAL_TRY(const int axis, arguments::axis_of(c, order.input_axes[s], dims.rank()));
    axes.push_back(axis);
    if (length >= 0 && dims[axis] != length)
      return arguments::refuse(c, errc::invalid_argument, "scan inputs are {} and {} elements long",
                               length, dims[axis]);
    length = dims[axis];
  }
  std::vector<std::vector<tensor>> rows(order.outputs);
  for (std::int64_t i = 0; i < length; ++i) {
    auto inputs = std::move(state);
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      const auto at = order.input_directions[s] != 0 ? length - 1 - i : i;
      SHOAL_TRY(inputs.emplace_back(), control_flow::row(sequences[s], axes[s], at));
    }
    SHOAL_TRY(state, bodies.run("body", inputs));
    for (std::size_t o = 0; o < order.outputs; ++o)
      rows[o].push_back(std::move(state[order.states + o]));
    state.resize(order.states);
  }
  std::vector<tensor> outputs;
  for (std::size_t o = 0; o < order.outputs; ++o) {
    if (rows[o].empty())
      return arguments::refuse(c, errc::unsupported, "there is nothing to scan: the axis is empty");
    const auto rank = rows[o].front().dims().rank() + 1;
    SHOAL_TRY(const int axis, arguments::axis_of(c, order.output_axes[o], rank));
    SHOAL_TRY(outputs.emplace_back(),
              control_flow::stack(c, rows[o], axis, order.output_directions[o] != 0));
  }
  return outputs;
}

result<std::vector<tensor>> given(const node_context& c, std::size_t first) {
  std::vector<tensor> values;
  for (std::size_t i = first; i < c.inputs.size(); ++i) {
    if (!c.has(i)) return arguments::refuse(c, errc::malformed, "input {} is left out", i);
    values.push_back(*c.inputs[i].constant);
  }
  return values;
}

result<std::vector<tensor>> run(const node_context& c, body_runner& bodies) {
  SHOAL_TRY(const auto order, read_order(c, *c.attrs().get<graph_body>("body")->code));
  SHOAL_TRY(auto state, given(c, 0));
  const std::vector<tensor> sequences(state.begin() + static_cast<std::ptrdiff_t>(order.states),
                                      state.end());
  state.resize(order.states);
  SHOAL_TRY(auto outputs, scan_through(c, bodies, order, state, sequences));
  state.insert(state.end(), outputs.begin(), outputs.end());
  return state;
}

/// How long each sequence of a batch is: input 0, or all that there is.
result<std::vector<std::int64_t>> sequence_lengths(const node_context& c, std::int64_t batch,
                                                   std::int64_t longest) {
  if (!c.has(0)) return std::vector<std::int64_t>(static_cast<std::size_t>(batch), longest);
  SHOAL_TRY(auto lengths, arguments::constant_ints(c, 0, "sequence_lens"));
  if (lengths.size() != static_cast<std::size_t>(batch))
    return arguments::refuse(c, errc::invalid_argument, "{} sequence_lens for a batch of {}",
                             lengths.size(), batch);
  for (const auto length : lengths)
    if (length < 0 || length > longest)
      return arguments::refuse(c, errc::invalid_argument, "a sequence is {} long, of {} elements",
                               length, longest);
  return lengths;
}

/// The first `length` rows of sequences that are `longest` long.
result<std::vector<tensor>> shortened(const node_context& c, std::span<const tensor> sequences,
                                      std::int64_t longest, std::int64_t length) {
  std::vector<tensor> all;
  for (const auto& t : sequences) {
    auto type = t.type();
    if (type.dims.rank() < 1 || type.dims[0] != longest)
      return arguments::refuse(c, errc::invalid_argument, "a sequence is {}, another {} long",
                               to_string(type), longest);
    type.dims[0] = length;
    all.emplace_back(type, t.bytes_owner(), t.byte_offset());
  }
  return all;
}

/// With rows of zeros up to `length` of them.
result<tensor> lengthened(const tensor& t, std::int64_t length) {
  if (t.dims()[0] == length) return t;
  auto type = t.type();
  type.dims[0] = length;
  SHOAL_TRY(auto out, tensor::allocate(type));
  std::memset(out.mutable_data(), 0, out.byte_size());
  if (t.byte_size() > 0) std::memcpy(out.mutable_data(), t.data(), t.byte_size());
  return out;
}

/// Opset 8: a batch of sequences, each of a length of its own; everything has the batch as its
/// first axis.
result<std::vector<tensor>> run_batch(const node_context& c, body_runner& bodies) {
  scan_order order;
  order.scanned = static_cast<std::size_t>(c.attrs().get_int("num_scan_inputs", 0));
  if (order.scanned + 1 > c.inputs.size())
    return arguments::refuse(c, errc::malformed, "num_scan_inputs is {}, but there are {} inputs",
                             order.scanned, c.inputs.size() - 1);
  order.states = c.inputs.size() - 1 - order.scanned;
  const auto& body = *c.attrs().get<graph_body>("body")->code;
  if (body.outputs().size() < order.states)
    return arguments::refuse(c, errc::malformed, "the body has {} outputs for {} states",
                             body.outputs().size(), order.states);
  order.outputs = body.outputs().size() - order.states;
  order.input_axes.assign(order.scanned, 0);
  SHOAL_TRY(order.input_directions, numbers(c, "directions", order.scanned));
  order.output_axes.assign(order.outputs, 0);
  order.output_directions.assign(order.outputs, 0);
  SHOAL_TRY(const auto all, given(c, 1));
  for (const auto& t : all)
    if (t.dims().rank() < 1 || t.dims()[0] != all.front().dims()[0] || t.dims()[0] < 1)
      return arguments::refuse(c, errc::invalid_argument, "an input is {}: no such batch",
                               to_string(t.type()));
  const auto& last = all.back().dims(); // a sequence: there is at least one
  const auto longest = last.rank() < 2 ? 0 : last[1];
  SHOAL_TRY(const auto lengths, sequence_lengths(c, last[0], longest));
  std::vector<std::vector<tensor>> batches(body.outputs().size());
  for (std::int64_t b = 0; b < last[0]; ++b) {
    std::vector<tensor> state;
    for (const auto& t : all) {
      SHOAL_TRY(state.emplace_back(), control_flow::row(t, 0, b));
    }
    const auto length = lengths[static_cast<std::size_t>(b)];
    SHOAL_TRY(const auto sequences,
              shortened(c, std::span(state).subspan(order.states), longest, length));
    state.resize(order.states);
    SHOAL_TRY(const auto outputs, scan_through(c, bodies, order, state, sequences));
    for (std::size_t o = 0; o < state.size(); ++o) batches[o].push_back(state[o]);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      SHOAL_TRY(batches[order.states + o].emplace_back(), lengthened(outputs[o], longest));
    }
  }
  std::vector<tensor> joined;
  for (const auto& rows : batches) {
    SHOAL_TRY(joined.emplace_back(), control_flow::stack(c, rows, 0, false));
  }
  return joined;
}

} // namespace

const operator_def scan{.name = "Scan",
                        .first_opset = 9,
                        .max_inputs = -1,
                        .max_outputs = -1,
                        .check = check,
                        .run_bodies = run};

const operator_def scan_before_9{.name = "Scan",
                                 .first_opset = 8,
                                 .last_opset = 8,
                                 .min_inputs = 0,
                                 .max_inputs = -1,
                                 .max_outputs = -1,
                                 .check = check,
                                 .run_bodies = run_batch};

} // namespace shoal::operators
