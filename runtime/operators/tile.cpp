#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<std::int64_t>> repeats_of(const node_context& c) {
  SHOAL_TRY(auto repeats, arguments::constant_ints(c, 1, "repeats"));
  if (static_cast<int>(repeats.size()) != c.dims(0).rank())
    return arguments::refuse(c, errc::malformed, "{} repeats for the input {}", repeats.size(),
                             to_string(c.dims(0)));
  return repeats;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(auto extents, repeats_of(c));
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t factors[] = {extents[i], c.dims(0)[static_cast<int>(i)]};
    SHOAL_TRY(extents[i], checked_element_count(factors));
  }
  SHOAL_TRY(const auto out, arguments::checked_shape(c, extents));
  return arguments::one_output(c.type(0), out);
}

/// Two loops per axis: over the repetitions, which read the same, and over the elements.
copy_plan plan(const prepare_context& c) {
  const auto repeats = *repeats_of(c); // inferred before, so it holds
  const auto& dims = c.dims(0);
  const auto from = dims.dense_strides(), to = c.outputs[0].dims.dense_strides();
  element_copy copy;
  for (int axis = 0; axis < dims.rank(); ++axis) {
    copy.nest.push(repeats[static_cast<std::size_t>(axis)], {0, to[axis] * dims[axis]});
    copy.nest.push(dims[axis], {from[axis], to[axis]});
  }
  return {.copies = {copy}};
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto repeats = repeats_of(c);
  if (input != 0 || !repeats) return std::nullopt;
  const auto extent = c.dims(0)[axis];
  const auto first = wanted.first % extent, count = wanted.last - wanted.first + 1;
  if (first + count > extent) return interval{0, extent - 1}; // wraps around
  return interval{first, first + count - 1};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto repeats = repeats_of(c);
  if (!repeats || split[0] == unsplit) return std::nullopt;
  if ((*repeats)[static_cast<std::size_t>(split[0])] != 1) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def tile{
    .name = "Tile",
    .first_opset = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
