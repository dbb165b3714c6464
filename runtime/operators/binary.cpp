#include "kernels/cpu/binary.hpp"

#include "kernels/broadcast.hpp"
#include "kernels/reference/binary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

using binary_kernel = void (*)(binary_function, dtype, const loop_nest&, const void*, const void*,
                               void*);

std::unique_ptr<kernel> make(const prepare_context& c, binary_function f, binary_kernel run) {
  auto traits = rules::broadcast_layouts(c);
  const shape inputs[] = {c.dims(0), c.dims(1)};
  const auto nest = broadcast_nest(inputs, c.outputs[0].dims, traits.output);
  if (c.dims(0) == c.outputs[0].dims)
    traits.overwritable = 0;
  else if (c.dims(1) == c.outputs[0].dims)
    traits.overwritable = 1;
  const auto type = c.type(0);
  return function_kernel(
      [=](const kernel_io& io) {
        run(f, type, nest, io.inputs[0].data, io.inputs[1].data, io.outputs[0].data);
      },
      std::move(traits));
}

/// What the node computes: attributes choose among variants of one operator.
template <binary_function F>
binary_function function_of(const node_context& c) {
  if (F == binary_function::mod && c.attrs().get_int("fmod", 0) != 0) return binary_function::fmod;
  if (F == binary_function::shift_left && c.attrs().get_string("direction", "") == "RIGHT")
    return binary_function::shift_right;
  return F;
}

template <binary_function F>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (!kernels::has_binary(F, c.type(0)) || c.type(1) != c.type(0)) return nullptr;
  return make(c, F, kernels::binary);
}

template <binary_function F>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return make(c, function_of<F>(c), reference::binary);
}

template <binary_function F>
constexpr kernel_entry entries[] = {{"cpu", prepare_cpu<F>}, {"reference", prepare_reference<F>}};

result<std::vector<tensor_type>> infer_numbers(const node_context& c) {
  if (c.type(0) == dtype::boolean)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {}",
                             to_string(c.inputs[0].type));
  return rules::broadcast_infer(c);
}

result<std::vector<tensor_type>> infer_booleans(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::boolean}));
  return rules::broadcast_infer(c);
}

template <binary_function F>
constexpr operator_def arithmetic(std::string_view name) {
  return {.name = name,
          .first_opset = 7,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer_numbers,
          .input_axis = rules::broadcast_axis,
          .receptive_field = rules::broadcast_field,
          .split_axis = rules::broadcast_split,
          .kernels = entries<F>};
}

template <binary_function F>
constexpr operator_def logical(std::string_view name) {
  auto definition = arithmetic<F>(name);
  definition.infer = infer_booleans;
  return definition;
}

constexpr std::initializer_list<dtype> integers = {dtype::i8, dtype::i16, dtype::i32, dtype::i64,
                                                   dtype::u8, dtype::u16, dtype::u32, dtype::u64};

result<std::vector<tensor_type>> infer_integers(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, integers));
  return rules::broadcast_infer(c);
}

template <binary_function F>
constexpr operator_def bitwise(std::string_view name) {
  auto definition = arithmetic<F>(name);
  definition.first_opset = 18;
  definition.infer = infer_integers;
  return definition;
}

/// An exclusive or with ones everywhere, whatever the type.
result<std::unique_ptr<kernel>> prepare_bitwise_not(const prepare_context& c) {
  loop_nest nest(3);
  nest.push(c.dims(0).element_count(), {1, 0, 1});
  return function_kernel(
      [nest, type = c.type(0)](const kernel_io& io) {
        constexpr std::uint64_t ones = UINT64_MAX;
        reference::binary(binary_function::bit_xor, type, nest, io.inputs[0].data, &ones,
                          io.outputs[0].data);
      },
      {.overwritable = 0});
}

constexpr kernel_entry bitwise_not_entries[] = {{"reference", prepare_bitwise_not}};

constexpr operator_def bitwise_complement() {
  auto definition = bitwise<binary_function::bit_xor>("BitwiseNot");
  definition.min_inputs = 1;
  definition.max_inputs = 1;
  definition.kernels = bitwise_not_entries;
  return definition;
}

result<void> check_direction(const graph_node& node) {
  const auto direction = node.attrs.get_string("direction", "");
  if (direction == "LEFT" || direction == "RIGHT") return {};
  return node_error(node, errc::malformed,
                    fmt::format("direction is '{}', expected LEFT or RIGHT", direction));
}

result<std::vector<tensor_type>> infer_shift(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::u8, dtype::u16, dtype::u32, dtype::u64}));
  return rules::broadcast_infer(c);
}

constexpr operator_def shift() {
  auto definition = arithmetic<binary_function::shift_left>("BitShift");
  definition.first_opset = 11;
  definition.check = check_direction;
  definition.infer = infer_shift;
  return definition;
}

/// The slope is broadcast to the input, never the other way.
result<std::vector<tensor_type>> infer_prelu(const node_context& c) {
  SHOAL_TRY(const auto types, infer_numbers(c));
  if (types[0].dims != c.dims(0))
    return arguments::refuse(c, errc::invalid_argument,
                             "the slope {} cannot be broadcast to the input {}",
                             to_string(c.dims(1)), to_string(c.dims(0)));
  return types;
}

constexpr operator_def parametric_relu() {
  auto definition = arithmetic<binary_function::prelu>("PRelu");
  definition.infer = infer_prelu;
  return definition;
}

/// Since opset 12 the exponent may have a type of its own; the result has that of the base.
result<std::vector<tensor_type>> infer_power(const node_context& c) {
  if (c.type(0) == dtype::boolean || c.type(1) == dtype::boolean)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {} and {}",
                             to_string(c.inputs[0].type), to_string(c.inputs[1].type));
  SHOAL_TRY(const auto dims, rules::broadcast_shape(c));
  return arguments::one_output(c.type(0), dims);
}

result<std::unique_ptr<kernel>> prepare_power(const prepare_context& c) {
  const shape inputs[] = {c.dims(0), c.dims(1)};
  const auto nest = broadcast_nest(inputs, c.outputs[0].dims);
  const auto type = c.type(0), exponent_type = c.type(1);
  return function_kernel([=](const kernel_io& io) {
    reference::power(type, exponent_type, nest, io.inputs[0].data, io.inputs[1].data,
                     io.outputs[0].data);
  });
}

constexpr kernel_entry power_entries[] = {{"cpu", prepare_cpu<binary_function::pow>},
                                          {"reference", prepare_power}};

constexpr operator_def power() {
  auto definition = arithmetic<binary_function::pow>("Pow");
  definition.infer = infer_power;
  definition.kernels = power_entries;
  return definition;
}

} // namespace

const operator_def add = arithmetic<binary_function::add>("Add");
const operator_def sub = arithmetic<binary_function::sub>("Sub");
const operator_def mul = arithmetic<binary_function::mul>("Mul");
const operator_def div = arithmetic<binary_function::div>("Div");
const operator_def mod = arithmetic<binary_function::mod>("Mod");
const operator_def pow = power();
const operator_def prelu = parametric_relu();
const operator_def logical_and = logical<binary_function::bit_and>("And");
const operator_def logical_or = logical<binary_function::bit_or>("Or");
const operator_def logical_xor = logical<binary_function::bit_xor>("Xor");
const operator_def bit_shift = shift();
const operator_def bitwise_and = bitwise<binary_function::bit_and>("BitwiseAnd");
const operator_def bitwise_or = bitwise<binary_function::bit_or>("BitwiseOr");
const operator_def bitwise_xor = bitwise<binary_function::bit_xor>("BitwiseXor");
const operator_def bitwise_not = bitwise_complement();

} // namespace shoal::operators
