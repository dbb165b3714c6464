#include "tests/support/field_watch.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace shoal::test {
namespace {

/// Values to put in the place of an element: far off in both directions and, as weights of 0 hide
/// those, infinite and no number. Wide integers may be indices, so that only values that are there
/// already are safe.
std::vector<tensor> disturbed(const tensor& original, std::size_t index) {
  std::vector<tensor> changed;
  visit_dtype(original.element_type(), [&]<class T>(std::type_identity<T>) {
    const auto all = original.values<T>();
    const auto put = [&](T value) {
      changed.push_back(original.clone());
      changed.back().mutable_values<T>()[index] = value;
    };
    if constexpr (std::is_same_v<T, bool>) {
      put(!all[index]);
    } else if constexpr (sizeof(T) == 1) {
      put(std::numeric_limits<T>::min());
      put(std::numeric_limits<T>::max());
    } else if constexpr (std::is_integral_v<T>) {
      put(*std::min_element(all.begin(), all.end()));
      put(*std::max_element(all.begin(), all.end()));
    } else {
      const auto value = static_cast<float>(all[index]);
      put(static_cast<T>(value * 1.5f + 3.0f));
      put(static_cast<T>(-value * 1.5f - 3.0f));
      put(static_cast<T>(INFINITY));
      put(static_cast<T>(NAN));
    }
  });
  return changed;
}

/// The elements of a tensor along one axis.
struct along {
  along(const shape& dims, int axis)
      : extent(dims[axis]), inner(dims.element_count(axis + 1, dims.rank())) {}
  std::int64_t at(std::int64_t element) const { return element / inner % extent; }
  std::int64_t extent, inner;
};

constexpr interval nothing{INT64_MAX, -1};

void widen(interval& all, interval more) {
  all = {std::min(all.first, more.first), std::max(all.last, more.last)};
}

/// The outputs that the rules about `axis` of output 0 are meant for.
bool is_meant(const std::vector<tensor>& outputs, std::size_t i, int axis) {
  const auto &first = outputs[0].dims(), &dims = outputs[i].dims();
  return i == 0 || (dims.rank() > axis && dims[axis] == first[axis]);
}

/// Marks in `seen` what differs between two runs after element `element` of the input was changed.
bool mark(const std::vector<tensor>& before, const std::vector<tensor>& after, const shape& input,
          std::int64_t element, std::vector<seen_axis>& seen) {
  bool any = false;
  for (std::size_t k = 0; k < before.size(); ++k) {
    const auto size = size_of(before[k].element_type());
    for (std::int64_t e = 0; e < before[k].element_count(); ++e) {
      const auto offset = static_cast<std::size_t>(e) * size;
      if (std::memcmp(before[k].data() + offset, after[k].data() + offset, size) == 0) continue;
      any = true;
      for (auto& s : seen) {
        if (!is_meant(before, k, s.axis)) continue;
        const auto own = along(input, s.own_axis).at(element);
        widen(s.reached[static_cast<std::size_t>(along(before[k].dims(), s.axis).at(e))],
              {own, own});
      }
    }
  }
  return any;
}

/// What the operator states, without the optional: GCC mistakes a formatted one for uninitialised.
struct stated_field {
  bool whole = true;
  interval read;
};

stated_field ask_field(const asked_node& asked, std::size_t input, int axis, interval wanted) {
  const auto rule = asked.node.definition->receptive_field;
  if (rule == nullptr) return {};
  const auto field = rule(asked.context(), input, axis, wanted);
  return field ? stated_field{false, *field} : stated_field{};
}

std::string compare(interval reached, const stated_field& stated, std::int64_t extent,
                    std::int64_t slack) {
  const auto [first, last] = stated.read;
  if (stated.whole) return "";
  const auto what =
      fmt::format("[{}, {}] is read, stated is [{}, {}]", reached.first, reached.last, first, last);
  if (last >= first && (first < 0 || last >= extent)) return what + ": not clipped";
  if (reached.last < 0) return "";
  if (first > reached.first || last < reached.last) return what;
  if (first < reached.first - slack || last > reached.last + slack) return what + ": too wide";
  return "";
}

std::vector<seen_axis> axes_to_watch(const asked_node& asked, std::size_t input, const shape& out,
                                     const shape& in) {
  std::vector<seen_axis> seen;
  const auto rule = asked.node.definition->input_axis;
  for (int axis = 0; axis < out.rank(); ++axis) {
    const auto own = rule == nullptr ? std::optional(axis) : rule(asked.context(), input, axis);
    if (own && *own < in.rank())
      seen.push_back({axis, *own, in[*own],
                      std::vector<interval>(static_cast<std::size_t>(out[axis]), nothing)});
  }
  return seen;
}

/// Changes one element of the input after the other; whether any output moved.
bool watch(prepared_node& node, const node_case& test, const std::vector<tensor>& before,
           std::size_t input, std::vector<seen_axis>& seen) {
  const auto& value = test.inputs[input].value;
  auto inputs = test.inputs;
  bool any = false;
  for (std::int64_t e = 0; e < value.element_count(); ++e)
    for (const auto& changed : disturbed(value, static_cast<std::size_t>(e))) {
      inputs[input].value = changed;
      const auto after = node.run(inputs);
      if (!after) continue; // a value that the operator refuses
      any = mark(before, *after, value.dims(), e, seen) || any;
    }
  return any;
}

} // namespace

std::vector<std::string> kernels_of(const node_case& test) {
  auto names = applicable_kernels(test);
  if (names.empty()) names.emplace_back();
  return names;
}

result<watched_input> watch_input(const node_case& test, std::size_t input) {
  const asked_node asked(test);
  watched_input watched;
  bool first = true;
  for (const auto& name : kernels_of(test)) {
    SHOAL_TRY(auto node, prepared_node::make(test, name));
    SHOAL_TRY(const auto before, node.run(test.inputs));
    if (first)
      watched.axes = axes_to_watch(asked, input, before[0].dims(), test.inputs[input].value.dims());
    watched.output_rank = before[0].dims().rank();
    first = false;
    watched.moves = watch(node, test, before, input, watched.axes) || watched.moves;
  }
  return watched;
}

std::string compare_field(const asked_node& asked, std::size_t input, const seen_axis& seen,
                          std::int64_t slack, stated_width& stated) {
  const auto outputs = static_cast<std::int64_t>(seen.reached.size());
  stated = stated_width::interval;
  for (const auto width : {std::int64_t{1}, std::int64_t{3}, outputs})
    for (std::int64_t o = 0; o + width <= outputs; ++o) {
      interval reached = nothing;
      for (auto i = o; i < o + width; ++i)
        widen(reached, seen.reached[static_cast<std::size_t>(i)]);
      const auto field = ask_field(asked, input, seen.axis, {o, o + width - 1});
      const auto wrong = compare(reached, field, seen.extent, slack);
      if (!wrong.empty())
        return fmt::format("input {}, axis {}, outputs {} to {}: {}", input, seen.axis, o,
                           o + width - 1, wrong);
      if (!field.whole) continue;
      const bool all = reached.last < 0 || reached == interval{0, seen.extent - 1};
      if (!all) stated = stated_width::wider_than_read;
      if (stated == stated_width::interval) stated = stated_width::whole;
    }
  return "";
}

} // namespace shoal::test
