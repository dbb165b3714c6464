#include "runtime/tile/crop_geometry.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <numeric>

namespace shoal {
namespace {

/// No operator repeats itself later than this; beyond, alignments get as large as images.
constexpr std::int64_t longest_period = 64;

interval hull(interval a, interval b) {
  if (a.first > a.last) return b;
  if (b.first > b.last) return a;
  return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

bool is_empty(interval i) {
  return i.first > i.last;
}

bool contains(interval outer, interval inner) {
  return is_empty(inner) || (outer.first <= inner.first && inner.last <= outer.last);
}

/// A node's rules along the axis that its outputs are cut along.
struct node_axis {
  const graph_node& node;
  std::vector<operand> operands;
  std::vector<tensor_type> outputs;
  int axis = 0;

  node_axis(const bound_graph& bound, std::size_t index)
      : node(bound.model->nodes()[index]), operands(bound.operands_of(index)),
        outputs(bound.output_types_of(index)) {}

  node_context context() const { return {node, operands}; }
  std::int64_t extent() const { return outputs[0].dims[axis]; }
  std::optional<int> input_axis(std::size_t input, int of_outputs) const {
    const auto& rule = node.definition->input_axis;
    const auto own = rule != nullptr ? rule(context(), input, of_outputs) : of_outputs;
    if (!own || *own >= operands[input].type.dims.rank()) return std::nullopt;
    return own;
  }
  std::optional<interval> field(std::size_t input, interval wanted) const {
    const auto& rule = node.definition->receptive_field;
    if (rule == nullptr) return std::nullopt;
    return rule(context(), input, axis, wanted);
  }
  interval field_of_one(std::size_t input, std::int64_t index) const {
    return field(input, {index, index}).value_or(interval{});
  }
};

error needs_whole(const graph_node& node, int axis) {
  return node_error(node, errc::unsupported,
                    fmt::format("needs all of axis {}: an image cannot be cut along it", axis));
}

/// The first output that has a name; nodes without any are dead.
value_id first_output(const graph_node& node) {
  return *std::ranges::find_if(node.outputs, [](value_id id) { return id != no_value; });
}

/// How far the field moves, in elements of the input, when the output moves by one period: found in
/// the middle, where the sides of the image do not count.
struct period {
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
};

std::optional<period> find_period(const node_axis& at, std::size_t input) {
  const auto extent = at.extent(), middle = extent / 2;
  for (std::int64_t p = 1; p <= longest_period && middle + 2 * p < extent; ++p) {
    std::optional<std::int64_t> moved;
    bool steady = true;
    for (auto j = middle - p; steady && j < middle + p; ++j) {
      if (j < 0) continue;
      const auto here = at.field_of_one(input, j), there = at.field_of_one(input, j + p);
      const auto by = there.first - here.first;
      steady = there.last - here.last == by && (!moved || *moved == by);
      moved = by;
    }
    if (steady && moved && *moved > 0) return period{p, *moved};
  }
  return std::nullopt;
}

} // namespace

scale_ratio scale_ratio::times(scale_ratio other) const {
  const auto a = std::gcd(num, other.den), b = std::gcd(other.num, den);
  return {num / a * (other.num / b), den / b * (other.den / a)};
}

result<crop_geometry> crop_geometry::derive(std::shared_ptr<const bound_graph> whole,
                                            std::size_t input, int axis) {
  crop_geometry g;
  const auto& model = *whole->model;
  assert(input < model.inputs().size());
  g.image_ = model.inputs()[input];
  const auto& dims = whole->value(g.image_).type.dims;
  if (axis < 0 || axis >= dims.rank())
    return fail(errc::invalid_argument, "input '{}' has no axis {}: it is {}",
                model.value(g.image_).name, axis, to_string(dims));
  g.input_ = input;
  g.axis_ = axis;
  g.extent_ = dims[axis];
  g.places_.resize(model.values().size());
  g.places_[g.image_] = place{axis, {}};
  g.whole_ = std::move(whole);
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    if (!g.whole_->folded[n]) SHOAL_CHECK(g.place_outputs(n));
  for (std::size_t o = 0; o < model.outputs().size(); ++o) {
    if (!g.output_axis(o)) continue;
    const auto middle = g.whole_->value(model.outputs()[o]).type.dims[*g.output_axis(o)] / 2;
    const auto field = g.field_of(o, {middle, middle});
    g.reach_ = std::max(g.reach_, field.last - field.first + 1);
  }
  return g;
}

result<void> crop_geometry::place_outputs(std::size_t index) {
  node_axis at(*whole_, index);
  const auto& inputs = at.node.inputs;
  const auto placed = [&](std::size_t i) { return inputs[i] != no_value && places_[inputs[i]]; };
  std::size_t first = 0;
  while (first < inputs.size() && !placed(first)) ++first;
  if (first == inputs.size()) return {};
  const auto& known = *places_[inputs[first]];
  const int rank = at.outputs.empty() ? 0 : at.outputs[0].dims.rank();
  while (at.axis < rank && at.input_axis(first, at.axis) != known.axis) ++at.axis;
  if (at.axis == rank) return needs_whole(at.node, known.axis);
  for (const auto& output : at.outputs)
    if (output.dims.rank() <= at.axis || output.dims[at.axis] != at.extent())
      return needs_whole(at.node, known.axis);

  std::optional<scale_ratio> scale;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == no_value) continue;
    const auto field = at.field(i, {0, 0});
    if (!placed(i)) {
      // Needed whole, as weights are, or the same everywhere.
      const auto own = at.input_axis(i, at.axis);
      if (field && own && at.operands[i].type.dims[*own] != 1) return needs_whole(at.node, at.axis);
      continue;
    }
    const auto& from = *places_[inputs[i]];
    if (!field || at.input_axis(i, at.axis) != from.axis) return needs_whole(at.node, from.axis);
    const auto step = find_period(at, i);
    if (!step) return needs_whole(at.node, from.axis);
    const auto divisor = std::gcd(step->outputs, step->inputs);
    const auto to = from.scale.times({step->outputs / divisor, step->inputs / divisor});
    if (scale && *scale != to) return needs_whole(at.node, from.axis);
    scale = to;
    // The input's origin, a multiple of the step, in elements of the image.
    const auto apart = from.scale.den * step->inputs;
    alignment_ = std::lcm(alignment_, apart / std::gcd(from.scale.num, apart));
    if (alignment_ > extent_) alignment_ = extent_;
  }
  for (const auto id : at.node.outputs)
    if (id != no_value) places_[id] = place{at.axis, *scale};
  return {};
}

std::optional<int> crop_geometry::output_axis(std::size_t output) const {
  const auto& at = places_[whole_->model->outputs()[output]];
  if (!at) return std::nullopt;
  return at->axis;
}

std::int64_t crop_geometry::output_extent(std::size_t output) const {
  return whole_->value(whole_->model->outputs()[output]).type.dims[*output_axis(output)];
}

scale_ratio crop_geometry::output_scale(std::size_t output) const {
  return places_[whole_->model->outputs()[output]]->scale;
}

std::int64_t crop_geometry::origin(value_id id, interval crop) const {
  const auto& scale = places_[id]->scale;
  return crop.first / scale.den * scale.num + crop.first % scale.den * scale.num / scale.den;
}

interval crop_geometry::field_of(std::size_t output, interval wanted) const {
  const auto& model = *whole_->model;
  std::vector<interval> needed(model.values().size());
  needed[model.outputs()[output]] = wanted;
  for (std::size_t n = model.nodes().size(); n-- > 0;) {
    interval out;
    for (const auto id : model.nodes()[n].outputs)
      if (id != no_value && places_[id]) out = hull(out, needed[id]);
    if (is_empty(out)) continue;
    node_axis at(*whole_, n);
    at.axis = places_[first_output(at.node)]->axis;
    for (std::size_t i = 0; i < at.node.inputs.size(); ++i) {
      const auto id = at.node.inputs[i];
      if (id == no_value || !places_[id]) continue;
      needed[id] = hull(needed[id], at.field(i, out).value_or(interval{}));
    }
  }
  return needed[image_];
}

result<std::unique_ptr<bound_graph>> crop_geometry::bind_crop(std::int64_t length) const {
  std::vector<operand> inputs;
  for (const auto id : whole_->model->inputs()) inputs.push_back(whole_->value(id));
  inputs[input_].type.dims[axis_] = length;
  return bind_types(whole_->model, inputs);
}

result<std::vector<crop_yield>> crop_geometry::yield_of(interval crop) const {
  assert(crop.first % alignment_ == 0 && crop.first <= crop.last && crop.last < extent_);
  SHOAL_TRY(const auto on_crop, bind_crop(crop.last - crop.first + 1));
  const auto& model = *whole_->model;
  std::vector<interval> exact(model.values().size());
  exact[image_] = crop;
  for (std::size_t n = 0; n < model.nodes().size(); ++n) {
    const auto& outputs = model.nodes()[n].outputs;
    const auto is_placed = [&](value_id id) { return id != no_value && places_[id]; };
    if (std::ranges::none_of(outputs, is_placed)) continue;
    SHOAL_TRY(const auto part, exact_part(*on_crop, n, crop, exact));
    for (const auto id : outputs)
      if (id != no_value) exact[id] = part;
  }
  std::vector<crop_yield> yields;
  for (const auto id : model.outputs())
    yields.push_back(places_[id] ? crop_yield{exact[id], origin(id, crop)} : crop_yield{});
  return yields;
}

/// Beyond so many elements from the ends of image and crop, a value's elements all follow from
/// their neighbours in the same way.
std::int64_t crop_geometry::slack_of(value_id id) const {
  const auto& scale = places_[id]->scale;
  return (reach_ + alignment_) * scale.num / scale.den + 2 * longest_period;
}

result<interval> crop_geometry::exact_part(const bound_graph& on_crop, std::size_t n, interval crop,
                                           std::span<const interval> exact) const {
  node_axis in_whole(*whole_, n), in_crop(on_crop, n);
  const auto id = first_output(in_whole.node);
  in_whole.axis = in_crop.axis = places_[id]->axis;
  const auto start = origin(id, crop);
  const auto extent = in_crop.extent();
  if (start + extent > in_whole.extent())
    return node_error(in_whole.node, errc::unsupported,
                      "gives more of a crop than of the image: it depends on the place");
  const auto same = [&](std::int64_t j) {
    for (std::size_t i = 0; i < in_whole.node.inputs.size(); ++i) {
      const auto from = in_whole.node.inputs[i];
      if (from == no_value || !places_[from]) continue;
      const auto wide = in_whole.field_of_one(i, start + j);
      if (!contains(exact[from], wide)) return false;
      auto narrow = in_crop.field_of_one(i, j);
      narrow.first += origin(from, crop);
      narrow.last += origin(from, crop);
      if (wide != narrow && !(is_empty(wide) && is_empty(narrow))) return false;
    }
    return true;
  };
  // What lies between is as its neighbours are.
  const auto slack = slack_of(id);
  const interval between{slack, extent - 1 - slack};
  // Not all that is the same need lie together: where the ends of crop and image come to one
  // element, what is mirrored may be the same and what it is mirrored at not.
  interval longest, current;
  for (std::int64_t j = 0; j < extent; ++j) {
    if (!same(j)) continue;
    const bool goes_on = !is_empty(current) && current.last == j - 1;
    current = goes_on ? interval{current.first, j} : interval{j, j};
    if (goes_on && j == between.first && between.first < between.last)
      current.last = j = between.last;
    if (current.last - current.first > longest.last - longest.first) longest = current;
  }
  if (is_empty(longest)) return longest;
  return interval{start + longest.first, start + longest.last};
}

} // namespace shoal
