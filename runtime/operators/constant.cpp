#include "kernels/reference/convert.hpp"
#include "runtime/operators/by_values.hpp"
#include "runtime/operators/onnx_dtype.hpp"
#include "runtime/operators/operators.hpp"

#include <cstring>

/// Operators whose output is known before the first run: it follows from attributes, or from
/// inputs that have to be constants since the output's shape depends on them.
namespace shoal::operators {
namespace {

result<std::vector<tensor>> evaluate_constant(const node_context& c) {
  const auto& a = c.attrs();
  if (const auto* value = a.get<tensor>("value")) return std::vector{*value};
  if (const auto* value = a.get<float>("value_float"))
    return std::vector{tensor::of<float>({}, {*value})};
  if (const auto* value = a.get<std::int64_t>("value_int"))
    return std::vector{tensor::of<std::int64_t>({}, {*value})};
  if (const auto* values = a.get<std::vector<float>>("value_floats"))
    return std::vector{tensor::of<float>({static_cast<std::int64_t>(values->size())}, *values)};
  if (a.get<std::vector<std::int64_t>>("value_ints") != nullptr) {
    const auto values = a.get_ints("value_ints");
    return std::vector{tensor::of(shape{static_cast<std::int64_t>(values.size())}, values)};
  }
  return arguments::refuse(c, errc::unsupported, "only tensors and numbers are supported");
}

/// All elements are that of `value`, 0.0 in float32 unless it is given.
result<std::vector<tensor>> evaluate_fill(const node_context& c) {
  SHOAL_TRY(const auto extents, arguments::constant_ints(c, 0, "input"));
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, extents));
  const auto* value = c.attrs().get<tensor>("value");
  if (value != nullptr && value->element_count() != 1)
    return arguments::refuse(c, errc::malformed, "value has {} elements, expected one",
                             value->element_count());
  SHOAL_TRY(auto out,
            tensor::allocate({value == nullptr ? dtype::f32 : value->element_type(), dims}));
  const auto size = size_of(out.element_type());
  for (std::int64_t i = 0; i < out.element_count(); ++i) {
    auto* to = out.mutable_data() + static_cast<std::size_t>(i) * size;
    value == nullptr ? std::memset(to, 0, size) : std::memcpy(to, value->data(), size);
  }
  return std::vector{out};
}

/// start, start + delta, ... below limit.
template <class T>
result<std::vector<tensor>> count_up(const node_context& c) {
  const auto at = [&](std::size_t i) { return c.inputs[i].constant->template values<T>()[0]; };
  const double start = static_cast<double>(at(0)), delta = static_cast<double>(at(2));
  if (delta == 0) return arguments::refuse(c, errc::invalid_argument, "delta is 0");
  const double steps = std::ceil((static_cast<double>(at(1)) - start) / delta);
  const std::int64_t count[] = {reference::convert<std::int64_t>(std::fmax(steps, 0))};
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, count));
  SHOAL_TRY(auto out, tensor::allocate({dtype_of<T>(), dims}));
  auto values = out.template mutable_values<T>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = reference::convert<T>(start + static_cast<double>(i) * delta);
  return std::vector{out};
}

result<std::vector<tensor>> evaluate_range(const node_context& c) {
  for (std::size_t i = 0; i < 3; ++i) {
    SHOAL_CHECK(
        arguments::expect_type(c, i, {dtype::f32, dtype::f64, dtype::i16, dtype::i32, dtype::i64}));
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (c.dims(i).element_count() != 1)
      return arguments::refuse(c, errc::malformed, "input {} is {}, expected a scalar", i,
                               to_string(c.inputs[i].type));
    if (c.inputs[i].constant == nullptr)
      return arguments::refuse(
          c, errc::needs_values,
          "the length depends on values that are known only while running (input {})", i);
  }
  switch (c.type(0)) {
  case dtype::f32:
    return count_up<float>(c);
  case dtype::f64:
    return count_up<double>(c);
  case dtype::i16:
    return count_up<std::int16_t>(c);
  case dtype::i32:
    return count_up<std::int32_t>(c);
  default:
    return count_up<std::int64_t>(c);
  }
}

/// Ones on the diagonal `k`, in the shape of the input.
result<std::vector<tensor>> evaluate_eye(const node_context& c) {
  const auto& dims = c.dims(0);
  if (dims.rank() != 2)
    return arguments::refuse(c, errc::invalid_argument, "expected 2 dimensions, got {}",
                             to_string(c.inputs[0].type));
  const auto type = c.attrs().contains("dtype") ? dtype_of_onnx(c.attrs().get_int("dtype", 0))
                                                : std::optional(c.type(0));
  if (!type)
    return arguments::refuse(c, errc::unsupported, "element type {} is not supported",
                             c.attrs().get_int("dtype", 0));
  SHOAL_TRY(auto out, tensor::allocate({*type, dims}));
  std::memset(out.mutable_data(), 0, out.byte_size());
  const auto k = c.attrs().get_int("k", 0);
  const auto one = reference::scalar(*type, 1);
  const auto size = size_of(*type);
  for (std::int64_t row = 0; row < dims[0]; ++row)
    if (const auto column = row + k; column >= 0 && column < dims[1])
      std::memcpy(out.mutable_data() + static_cast<std::size_t>(row * dims[1] + column) * size,
                  one.data(), size);
  return std::vector{out};
}

/// The positions of all elements that are not 0: [rank, count].
result<std::vector<tensor>> evaluate_nonzero(const node_context& c) {
  SHOAL_CHECK(by_values::expect(c));
  const tensor* in = c.inputs[0].constant;
  std::vector<std::int64_t> found;
  visit_dtype(in->element_type(), [&]<class T>(std::type_identity<T>) {
    const auto* values = reinterpret_cast<const T*>(in->data());
    for (std::int64_t i = 0; i < in->element_count(); ++i)
      if (reference::convert<bool>(values[i])) found.push_back(i);
  });
  const auto& dims = in->dims();
  const auto strides = dims.dense_strides();
  SHOAL_TRY(auto out,
            tensor::allocate({dtype::i64, {dims.rank(), static_cast<std::int64_t>(found.size())}}));
  auto* to = reinterpret_cast<std::int64_t*>(out.mutable_data());
  for (int axis = 0; axis < dims.rank(); ++axis)
    for (const auto i : found) *to++ = i / strides[axis] % dims[axis];
  return std::vector{out};
}

} // namespace

const operator_def constant{.name = "Constant",
                            .min_inputs = 0,
                            .max_inputs = 0,
                            .infer = by_values::infer<evaluate_constant>,
                            .evaluate = evaluate_constant};
const operator_def constant_of_shape{.name = "ConstantOfShape",
                                     .first_opset = 9,
                                     .infer = by_values::infer<evaluate_fill>,
                                     .evaluate = evaluate_fill};
const operator_def range{.name = "Range",
                         .first_opset = 11,
                         .min_inputs = 3,
                         .max_inputs = 3,
                         .infer = by_values::infer<evaluate_range>,
                         .evaluate = evaluate_range};
const operator_def eye_like{.name = "EyeLike",
                            .first_opset = 9,
                            .infer = by_values::infer<evaluate_eye>,
                            .evaluate = evaluate_eye};
const operator_def nonzero{.name = "NonZero",
                           .first_opset = 9,
                           .infer = by_values::infer<evaluate_nonzero>,
                           .evaluate = evaluate_nonzero};

} // namespace shoal::operators
