#include "kernels/reference/gather.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <cstring>

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  if (c.dims(0).rank() < 2)
    return arguments::refuse(c, errc::invalid_argument, "expected a matrix, got {}",
                             to_string(c.inputs[0].type));
  if (c.has(1)) {
    SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64}));
    if (c.dims(1).element_count() != 1)
      return arguments::refuse(c, errc::malformed, "k is {}, expected a scalar",
                               to_string(c.inputs[1].type));
  }
  return rules::same_as_input(c);
}

/// Zeros below diagonal `k`, or above it.
void keep_triangle(bool upper, std::int64_t k, const const_view& in, const view& out) {
  const auto size = size_of(in.type);
  const auto rank = in.dims.rank();
  const auto rows = in.dims[rank - 2], columns = in.dims[rank - 1];
  for (std::int64_t i = 0; i < in.element_count(); ++i) {
    const auto row = i / columns % rows, column = i % columns;
    const bool kept = upper ? column - row >= k : column - row <= k;
    const auto offset = static_cast<std::size_t>(i) * size;
    auto* to = out.as<std::byte>() + offset;
    kept ? std::memmove(to, in.as<std::byte>() + offset, size) : std::memset(to, 0, size);
  }
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const bool upper = c.attrs().get_int("upper", 1) != 0;
  return function_kernel(
      [upper](const kernel_io& io) {
        const bool given = io.inputs.size() > 1 && io.inputs[1].data != nullptr;
        keep_triangle(upper, given ? reference::index_at(io.inputs[1], 0) : 0, io.inputs[0],
                      io.outputs[0]);
      },
      {.overwritable = 0});
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

bool in_matrix(const node_context& c, int axis) {
  return axis >= c.dims(0).rank() - 2;
}

/// Where an element stands in its matrix matters: no part of one can do without the rest.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || in_matrix(c, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] == unsplit || in_matrix(c, split[0])) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def trilu{
    .name = "Trilu",
    .first_opset = 14,
    .max_inputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
