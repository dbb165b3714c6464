#include "kernels/reference/col2im.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: columns [N,C * taps,L], the extents of the image, those of the blocks.

namespace shoal::operators {
namespace {

using arguments::refuse;

struct columns {
  shape image; ///< [N,C,spatial...]
  window at;
};

constexpr std::int64_t largest = std::int64_t{1} << 31; // of a pad, a stride, a distance

result<shape> list(const node_context& c, std::string_view name, std::size_t count,
                   std::int64_t least) {
  const auto given = c.attrs().get_ints(name);
  if (given.empty()) return shape::filled(static_cast<int>(count), least);
  if (given.size() != count)
    return refuse(c, errc::malformed, "attribute {}: expected {} values, got {}", name, count,
                  given.size());
  for (const auto value : given)
    if (value < least || value > largest)
      return refuse(c, errc::malformed, "attribute {}: {} is out of range", name, value);
  return shape(given);
}

result<columns> columns_of(const node_context& c) {
  SHOAL_TRY(const auto image, arguments::constant_ints(c, 1, "image_shape"));
  SHOAL_TRY(const auto block, arguments::constant_ints(c, 2, "block_shape"));
  const auto axes = block.size();
  const auto& x = c.dims(0);
  if (x.rank() != 3 || axes < 1 || axes > 3 || image.size() != axes)
    return refuse(c, errc::invalid_argument,
                  "expected columns [N,C * taps,L] and 1 to 3 extents of image and block, got {}, "
                  "{} and {}",
                  to_string(x), image.size(), axes);
  columns all;
  for (const auto taps : block)
    if (taps < 1 || taps > largest)
      return refuse(c, errc::malformed, "a block has {} elements along an axis", taps);
  SHOAL_TRY(const auto taps, checked_element_count(block));
  if (x[1] % taps != 0)
    return refuse(c, errc::invalid_argument, "{} channels are not a multiple of the {} of a block",
                  x[1], taps);
  all.at.kernel = shape(block);
  SHOAL_TRY(all.at.stride, list(c, "strides", axes, 1));
  SHOAL_TRY(all.at.dilation, list(c, "dilations", axes, 1));
  all.at.pad_begin = all.at.pad_end = shape::filled(static_cast<int>(axes), 0);
  if (!c.attrs().get_ints("pads").empty()) {
    const auto half = [&](const shape& pads, std::size_t first) {
      return shape(pads.span().subspan(first, axes));
    };
    SHOAL_TRY(const auto pads, list(c, "pads", 2 * axes, 0));
    all.at.pad_begin = half(pads, 0);
    all.at.pad_end = half(pads, axes);
  }
  std::vector<std::int64_t> extents{x[0], x[1] / taps};
  extents.insert(extents.end(), image.begin(), image.end());
  SHOAL_TRY(all.image, arguments::checked_shape(c, extents));
  return all;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto all, columns_of(c));
  std::int64_t places = 1;
  for (int a = 0; a < all.at.rank(); ++a) {
    const auto room = all.image[a + 2] + all.at.pad_begin[a] + all.at.pad_end[a] - all.at.reach(a);
    const std::int64_t factors[] = {places, room < 0 ? 0 : room / all.at.stride[a] + 1};
    SHOAL_TRY(places, checked_element_count(factors));
  }
  if (places == 0 || c.dims(0)[2] != places)
    return refuse(c, errc::invalid_argument, "{} columns for {} places of the block", c.dims(0)[2],
                  places);
  return arguments::one_output(c.type(0), all.image);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {static_cast<double>(c.dims(0).element_count()), rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis > 0) return std::nullopt;
  return wanted;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto all, columns_of(c));
  const auto pixels = all.image.element_count(2, all.image.rank());
  return function_kernel(
      [at = all.at](const kernel_io& io) {
        reference::col2im(io.inputs[0], io.outputs[0], at, reinterpret_cast<double*>(io.scratch));
      },
      {.scratch_bytes = static_cast<std::size_t>(pixels) * sizeof(double)});
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def col2im{
    .name = "Col2Im",
    .first_opset = 18,
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = rules::split_batch,
    .kernels = kernels,
};

} // namespace shoal::operators
