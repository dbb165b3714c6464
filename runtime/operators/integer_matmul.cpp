#include "kernels/cpu/integer_product.hpp"
#include "kernels/cpu/quantize.hpp"
#include "kernels/reference/matmul.hpp"
#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/quantization_rules.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>

/// Products of matrices of 8-bit integers. They differ in the order of their inputs and in what
/// becomes of the exact sums; shapes, cuts and fields are MatMul's (or Gemm's). A has one scale and
/// zero point, B one or one per column.
namespace shoal::operators {
namespace {

using arguments::refuse;

constexpr std::size_t none = SIZE_MAX;

/// Which input is what.
struct roles {
  std::size_t a = 0, b = 1;
  std::size_t a_zero = none, b_zero = none;
  std::size_t a_scale = none, b_scale = none; ///< without any the sums are the result
  std::size_t bias = none;
  std::size_t y_scale = none, y_zero = none; ///< without, the result is float32
  bool dynamic = false;                      ///< A is float32 and quantised on the way
  bool gemm = false;                         ///< two matrices, a bias of int32, transA and transB
};

constexpr roles integer{.a_zero = 2, .b_zero = 3};
constexpr roles linear{
    .b = 3, .a_zero = 2, .b_zero = 5, .a_scale = 1, .b_scale = 4, .y_scale = 6, .y_zero = 7};
constexpr roles gemm_like{.b = 3,
                          .a_zero = 2,
                          .b_zero = 5,
                          .a_scale = 1,
                          .b_scale = 4,
                          .bias = 6,
                          .y_scale = 7,
                          .y_zero = 8,
                          .gemm = true};
constexpr roles to_float{.a_zero = 4, .b_zero = 5, .a_scale = 2, .b_scale = 3, .bias = 6};
constexpr roles dynamic{.b_zero = 3, .b_scale = 2, .bias = 4, .dynamic = true};

bool transposes_a(const node_context& c, const roles& r) {
  return r.gemm && c.attrs().get_int("transA", 0) != 0;
}
bool transposes_b(const node_context& c, const roles& r) {
  return r.gemm && c.attrs().get_int("transB", 0) != 0;
}

/// The operator on real numbers whose shape, cost, field and cuts this one has.
const operator_def& real_product(const roles& r) {
  return r.gemm ? gemm : matmul;
}

kernels::integer_matmul_problem problem_of(const node_context& c, const roles& r) {
  const auto &a = c.dims(r.a), &b = c.dims(r.b);
  kernels::integer_matmul_problem p;
  p.transpose_a = transposes_a(c, r);
  p.transpose_b = transposes_b(c, r);
  p.rows = a.rank() > 1 ? a[a.rank() - (p.transpose_a ? 1 : 2)] : 1;
  p.length = a[a.rank() - (p.transpose_a ? 2 : 1)];
  p.columns = b.rank() > 1 ? b[b.rank() - (p.transpose_b ? 2 : 1)] : 1;
  const int axes = std::max({a.rank() - 2, b.rank() - 2, 0});
  for (int i = 0; i < axes; ++i) {
    const int in_a = i - axes + a.rank() - 2, in_b = i - axes + b.rank() - 2;
    p.a_batch.push_back(in_a < 0 ? 1 : a[in_a]);
    p.b_batch.push_back(in_b < 0 ? 1 : b[in_b]);
  }
  p.a_type = r.dynamic ? dtype::u8 : c.type(r.a);
  p.b_type = c.type(r.b);
  return p;
}

result<void> expect_zero(const node_context& c, std::size_t i, std::size_t operand,
                         std::int64_t channels) {
  if (i == none || !c.has(i)) return {};
  return rules::expect_per_channel(c, i, c.type(operand), channels);
}

result<void> expect_bias(const node_context& c, const roles& r, std::int64_t columns) {
  if (r.bias == none || !c.has(r.bias)) return {};
  SHOAL_CHECK(arguments::expect_type(c, r.bias, {r.gemm ? dtype::i32 : dtype::f32}));
  const auto& dims = c.dims(r.bias);
  if (dims.element_count() == columns && dims.rank() >= 1 && dims[dims.rank() - 1] == columns)
    return {};
  return refuse(c, errc::unsupported, "input {}: a bias of {} values is supported, got {}", r.bias,
                columns, to_string(dims));
}

result<dtype> result_type(const node_context& c, const roles& r) {
  if (r.a_scale == none && r.b_scale == none) return dtype::i32;
  if (r.y_scale == none || !c.has(r.y_scale)) return dtype::f32;
  SHOAL_CHECK(rules::expect_single(c, r.y_scale, dtype::f32));
  if (!c.has(r.y_zero)) return dtype::u8;
  SHOAL_CHECK(rules::expect_bytes(c, r.y_zero));
  SHOAL_CHECK(rules::expect_single(c, r.y_zero, c.type(r.y_zero)));
  return c.type(r.y_zero);
}

template <const roles& R>
result<std::vector<tensor_type>> infer(const node_context& c) {
  if (R.dynamic)
    SHOAL_CHECK(arguments::expect_type(c, R.a, {dtype::f32}));
  else
    SHOAL_CHECK(rules::expect_bytes(c, R.a));
  SHOAL_CHECK(rules::expect_bytes(c, R.b));
  const auto real = rules::as_real(c, {R.a, R.b});
  SHOAL_TRY(auto types, real_product(R).infer({c.node, real}));
  const auto columns = problem_of(c, R).columns;
  SHOAL_CHECK(expect_zero(c, R.a_zero, R.a, 1));
  SHOAL_CHECK(expect_zero(c, R.b_zero, R.b, columns));
  if (R.a_scale != none) SHOAL_CHECK(rules::expect_single(c, R.a_scale, dtype::f32));
  if (R.b_scale != none) SHOAL_CHECK(rules::expect_per_channel(c, R.b_scale, dtype::f32, columns));
  SHOAL_CHECK(expect_bias(c, R, columns));
  SHOAL_TRY(types[0].type, result_type(c, R));
  return types;
}

template <const roles& R>
operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto real = rules::as_real(c, {R.a, R.b});
  return {real_product(R).cost({c.node, real}, outputs).flops, rules::operand_bytes(c, outputs)};
}

template <const roles& R>
std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  if (input != R.a && input != R.b) return std::nullopt;
  const auto real = rules::as_real(c, {R.a, R.b});
  return real_product(R).input_axis({c.node, real}, input == R.a ? 0 : 1, axis);
}

template <const roles& R>
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (R.dynamic || (input != R.a && input != R.b)) return std::nullopt;
  const auto real = rules::as_real(c, {R.a, R.b});
  return real_product(R).receptive_field({c.node, real}, input == R.a ? 0 : 1, axis, wanted);
}

template <const roles& R>
std::optional<int> split(const node_context& c, std::span<const int> split) {
  const auto cuts = rules::cuts_of(split, {R.a, R.b});
  if (!cuts) return std::nullopt;
  const auto real = rules::as_real(c, {R.a, R.b});
  return real_product(R).split_axis({c.node, real}, *cuts);
}

/// The sums alone; see kernels/cpu/integer_product.hpp for its inputs.
std::unique_ptr<kernel> reference_product(const node_context& c, const roles& r) {
  const auto p = problem_of(c, r);
  const auto a_count = c.dims(r.a).element_count(), b_count = c.dims(r.b).element_count();
  const reference::gemm_options options{.transpose_a = p.transpose_a, .transpose_b = p.transpose_b};
  return function_kernel(
      [=](const kernel_io& io) {
        auto* a = reinterpret_cast<std::int32_t*>(io.scratch);
        auto* b = a + a_count;
        reference::subtract_zero(io.inputs[0], io.inputs[2], {1, 1, a_count}, a);
        // Zero points of B, one per column, lie along its last axis unless that is transposed.
        const auto inner = p.transpose_b ? p.length : 1;
        const auto column = std::max<std::int64_t>(p.columns * inner, 1);
        reference::subtract_zero(io.inputs[1], io.inputs[3], {b_count / column, p.columns, inner},
                                 b);
        reference::matmul({a, dtype::i32, layout::plain, io.inputs[0].dims},
                          {b, dtype::i32, layout::plain, io.inputs[1].dims}, io.outputs[0],
                          options);
      },
      {.scratch_bytes = static_cast<std::size_t>(a_count + b_count) * sizeof(std::int32_t)});
}

/// Sums of the columns of a constant B, as oneDNN's kernel sees it.
std::vector<std::int32_t> column_sums(const tensor& b, const kernels::integer_matmul_problem& p) {
  std::vector<std::int32_t> sums(static_cast<std::size_t>(p.columns));
  const std::int32_t middle = p.b_type == dtype::u8 ? 128 : 0;
  for (std::int64_t k = 0; k < p.length; ++k)
    for (std::int64_t j = 0; j < p.columns; ++j)
      sums[static_cast<std::size_t>(j)] +=
          reference::integer(b, p.transpose_b ? j * p.length + k : k * p.columns + j) - middle;
  return sums;
}

result<std::unique_ptr<kernel>> onednn_product(const prepare_context& c, const roles& r) {
  const auto* b = c.inputs[r.b].constant;
  const auto b_zero = r.b_zero == none ? 0 : rules::constant_zero(c, r.b_zero);
  if (b == nullptr || b_zero != (c.type(r.b) == dtype::u8 ? 128 : 0)) return nullptr;
  const auto p = problem_of(c, r);
  auto k = kernels::make_onednn_integer_matmul(p, column_sums(*b, p), c.threads);
  if (k == nullptr) return nullptr;
  const operand operands[] = {c.inputs[r.a], c.inputs[r.b]};
  const prepare_context inner{{c.node, operands}, c.outputs, c.input_layouts, c.threads, c.weights};
  SHOAL_CHECK(pack_constant(*k, inner));
  return k;
}

/// The functions around the product, fast or plain.
struct conversions {
  decltype(&reference::choose_scale) choose_scale;
  decltype(&reference::quantize_linear) quantize;
  decltype(&reference::requantize) requantize;
  decltype(&reference::rescale) rescale;
};
constexpr conversions plain{reference::choose_scale, reference::quantize_linear,
                            reference::requantize, reference::rescale};
constexpr conversions fast{kernels::choose_scale, kernels::quantize_linear, kernels::requantize,
                           kernels::rescale};

constexpr std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

class scaled_product final : public kernel {
 public:
  scaled_product(const prepare_context& c, const roles& r, const conversions& with,
                 std::unique_ptr<kernel> product)
      : roles_(r), with_(with), product_(std::move(product)), y_(c.outputs[0]),
        columns_(problem_of(c, r).columns), alpha_(r.gemm ? c.attrs().get_float("alpha", 1) : 1) {
    if (columns_ > 0) rows_ = y_.dims.element_count() / columns_;
    if (r.dynamic) a_count_ = c.dims(r.a).element_count();
  }

  /// Scratch: the sums, factors per column, A quantised, the product's own.
  std::size_t scratch_bytes() const override {
    return sum_bytes() + factor_bytes() + a_bytes() + product_->scratch_bytes();
  }

  void run(const kernel_io& io) override {
    auto* sums = y_.type == dtype::i32 ? io.outputs[0].as<std::int32_t>()
                                       : reinterpret_cast<std::int32_t*>(io.scratch);
    const auto input = [&](std::size_t i) {
      return i < io.inputs.size() ? io.inputs[i] : const_view{};
    };
    const_view a = input(roles_.a), a_zero = input(roles_.a_zero);
    float a_scale = 1;
    std::uint8_t chosen = 0;
    if (roles_.dynamic) {
      const view quantized{io.scratch + sum_bytes() + factor_bytes(), dtype::u8, layout::plain,
                           a.dims};
      with_.choose_scale(a.as<float>(), a_count_, a_scale, chosen);
      a_zero = {&chosen, dtype::u8, layout::plain, {}};
      with_.quantize(a, {&a_scale, dtype::f32, layout::plain, {}}, a_zero, quantized,
                     scale_map{.inner = a_count_});
      a = quantized;
    } else if (roles_.a_scale != none) {
      a_scale = *io.inputs[roles_.a_scale].as<float>();
    }
    const const_view operands[] = {a, io.inputs[roles_.b], a_zero, input(roles_.b_zero)};
    const view products[] = {{sums, dtype::i32, layout::plain, y_.dims}};
    product_->run({operands, products, io.scratch + sum_bytes() + factor_bytes() + a_bytes()});
    if (y_.type != dtype::i32)
      finish(io, sums, a_scale, input(roles_.bias), input(roles_.y_scale), input(roles_.y_zero));
  }

 private:
  void finish(const kernel_io& io, std::int32_t* sums, float a_scale, const const_view& bias,
              const const_view& y_scale, const const_view& y_zero) const {
    auto* factors = reinterpret_cast<float*>(io.scratch + sum_bytes());
    const auto& b_scale = io.inputs[roles_.b_scale];
    const bool per_column = b_scale.element_count() > 1;
    for (std::int64_t j = 0; j < columns_; ++j) {
      factors[j] = alpha_ * a_scale * b_scale.as<float>()[per_column ? j : 0];
      if (y_scale.data != nullptr) factors[j] /= *y_scale.as<float>();
    }
    if (roles_.gemm && bias.data != nullptr)
      for (std::int64_t i = 0; i < rows_ * columns_; ++i)
        sums[i] = static_cast<std::int32_t>(
            static_cast<std::uint32_t>(sums[i]) +
            static_cast<std::uint32_t>(bias.as<std::int32_t>()[i % columns_]));
    const product_extents e{rows_, columns_, 1};
    if (y_.type == dtype::f32)
      with_.rescale(sums, e, factors,
                    roles_.gemm || bias.data == nullptr ? nullptr : bias.as<float>(),
                    io.outputs[0].as<float>());
    else
      with_.requantize(sums, e, factors, reference::integer(y_zero, 0), io.outputs[0]);
  }

  std::size_t sum_bytes() const {
    if (y_.type == dtype::i32) return 0;
    return whole_lines(static_cast<std::size_t>(rows_ * columns_) * sizeof(std::int32_t));
  }
  std::size_t factor_bytes() const {
    return whole_lines(static_cast<std::size_t>(columns_) * sizeof(float));
  }
  std::size_t a_bytes() const { return whole_lines(static_cast<std::size_t>(a_count_)); }

  roles roles_;
  conversions with_;
  std::unique_ptr<kernel> product_;
  tensor_type y_;
  std::int64_t rows_ = 0, columns_, a_count_ = 0;
  float alpha_;
};

template <const roles& R>
result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  SHOAL_TRY(auto product, onednn_product(c, R));
  if (product == nullptr) return nullptr;
  return std::make_unique<scaled_product>(c, R, fast, std::move(product));
}

template <const roles& R>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  auto product = kernels::make_integer_matmul(problem_of(c, R));
  if (product == nullptr) return nullptr;
  return std::make_unique<scaled_product>(c, R, fast, std::move(product));
}

template <const roles& R>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return std::make_unique<scaled_product>(c, R, plain, reference_product(c, R));
}

template <const roles& R>
constexpr kernel_entry kernel_list[] = {
    {"onednn", prepare_onednn<R>}, {"cpu", prepare_cpu<R>}, {"reference", prepare_reference<R>}};

template <const roles& R>
constexpr operator_def product(std::string_view name, int min_inputs, int max_inputs) {
  return {.name = name,
          .domain = "com.microsoft",
          .min_inputs = min_inputs,
          .max_inputs = max_inputs,
          .infer = infer<R>,
          .cost = cost<R>,
          .input_axis = input_axis<R>,
          .receptive_field = field<R>,
          .split_axis = R.dynamic ? nullptr : split<R>,
          .kernels = kernel_list<R>};
}

template <const roles& R>
constexpr operator_def standard(std::string_view name, int min_inputs, int max_inputs) {
  auto definition = product<R>(name, min_inputs, max_inputs);
  definition.domain = "";
  definition.first_opset = 10;
  return definition;
}

} // namespace

const operator_def matmul_integer = standard<integer>("MatMulInteger", 2, 4);
const operator_def qlinear_matmul = standard<linear>("QLinearMatMul", 8, 8);
const operator_def qgemm = product<gemm_like>("QGemm", 6, 9);
const operator_def matmul_integer_to_float = product<to_float>("MatMulIntegerToFloat", 4, 7);
const operator_def dynamic_quantize_matmul = product<dynamic>("DynamicQuantizeMatMul", 3, 5);

} // namespace shoal::operators
