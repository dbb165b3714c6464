#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/view_rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(auto wanted, arguments::constant_ints(c, 1, "shape"));
  const auto& dims = c.dims(0);
  const bool zero_is_zero = c.attrs().get_int("allowzero", 0) != 0;
  std::int64_t* open = nullptr;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& extent = wanted[i];
    if (extent == 0 && !zero_is_zero) {
      if (static_cast<int>(i) >= dims.rank())
        return arguments::refuse(c, errc::malformed, "shape copies axis {}, but the input is {}", i,
                                 to_string(dims));
      extent = dims[static_cast<int>(i)];
    } else if (extent == -1) {
      if (open != nullptr)
        return arguments::refuse(c, errc::malformed, "shape leaves two extents open");
      open = &extent;
      extent = 1;
    }
  }
  SHOAL_TRY(auto out, arguments::checked_shape(c, wanted));
  const auto known = out.element_count();
  if (open != nullptr) {
    if (known == 0 || dims.element_count() % known != 0)
      return arguments::refuse(c, errc::invalid_argument,
                               "the {} elements of {} do not fill the open extent of {}",
                               dims.element_count(), to_string(dims), to_string(out));
    out[static_cast<int>(open - wanted.data())] = dims.element_count() / known;
  }
  if (out.element_count() != dims.element_count())
    return arguments::refuse(c, errc::invalid_argument, "{} has {} elements, {} has {}",
                             to_string(dims), dims.element_count(), to_string(out),
                             out.element_count());
  return arguments::one_output(c.type(0), out);
}

/// A cut needs an extent that the shape leaves open or copies: a number would be wrong for a part.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  const auto axis = rules::view_split(c, split);
  const auto wanted = arguments::constant_ints(c, 1, "shape");
  if (!axis || !wanted) return std::nullopt;
  const auto stated = (*wanted)[static_cast<std::size_t>(*axis)];
  const bool copied = stated == 0 && c.attrs().get_int("allowzero", 0) == 0 && *axis == split[0];
  if (stated != -1 && !copied) return std::nullopt;
  return axis;
}

} // namespace

const operator_def reshape{
    .name = "Reshape",
    .first_opset = 5,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .input_axis = rules::view_axis,
    .receptive_field = rules::view_field,
    .split_axis = split,
    .is_view = true,
};

} // namespace shoal::operators
