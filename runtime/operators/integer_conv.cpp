#include "kernels/cpu/integer_product.hpp"
#include "kernels/cpu/quantize.hpp"
#include "kernels/reference/convolution.hpp"
#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/quantization_rules.hpp"
#include "runtime/operators/window_rules.hpp"

/// ConvInteger and QLinearConv: convolutions of 8-bit integers. Shapes, cuts and fields are Conv's.
/// W has one scale and zero point, or one per output channel.
namespace shoal::operators {
namespace {

using arguments::refuse;

constexpr std::size_t none = SIZE_MAX;

/// Which input is what.
struct roles {
  std::size_t x, w, x_zero, w_zero;
  std::size_t x_scale = none, w_scale = none, y_scale = none, y_zero = none, bias = none;
};
constexpr roles integer{.x = 0, .w = 1, .x_zero = 2, .w_zero = 3};
constexpr roles linear{.x = 0,
                       .w = 3,
                       .x_zero = 2,
                       .w_zero = 5,
                       .x_scale = 1,
                       .w_scale = 4,
                       .y_scale = 6,
                       .y_zero = 7,
                       .bias = 8};

result<void> expect_scales(const node_context& c, const roles& r, std::int64_t maps) {
  SHOAL_CHECK(rules::expect_single(c, r.x_scale, dtype::f32));
  SHOAL_CHECK(rules::expect_per_channel(c, r.w_scale, dtype::f32, maps));
  SHOAL_CHECK(rules::expect_single(c, r.y_scale, dtype::f32));
  SHOAL_CHECK(rules::expect_bytes(c, r.y_zero));
  SHOAL_CHECK(rules::expect_single(c, r.y_zero, c.type(r.y_zero)));
  if (!c.has(r.bias)) return {};
  SHOAL_CHECK(arguments::expect_type(c, r.bias, {dtype::i32}));
  if (c.dims(r.bias) != shape{maps})
    return refuse(c, errc::invalid_argument, "B: expected [{}], got {}", maps,
                  to_string(c.dims(r.bias)));
  return {};
}

template <const roles& R>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(rules::expect_bytes(c, R.x));
  SHOAL_CHECK(rules::expect_bytes(c, R.w));
  const auto real = rules::as_real(c, {R.x, R.w});
  SHOAL_TRY(auto types, conv.infer({c.node, real}));
  const auto maps = c.dims(R.w)[0];
  if (c.has(R.x_zero)) SHOAL_CHECK(rules::expect_single(c, R.x_zero, c.type(R.x)));
  if (c.has(R.w_zero)) SHOAL_CHECK(rules::expect_per_channel(c, R.w_zero, c.type(R.w), maps));
  types[0].type = dtype::i32;
  if (R.y_zero == none) return types;
  SHOAL_CHECK(expect_scales(c, R, maps));
  types[0].type = c.type(R.y_zero);
  return types;
}

template <const roles& R>
operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto real = rules::as_real(c, {R.x, R.w});
  return {conv.cost({c.node, real}, outputs).flops, rules::operand_bytes(c, outputs)};
}

template <const roles& R>
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != R.x) return std::nullopt;
  const auto real = rules::as_real(c, {R.x, R.w});
  return conv.receptive_field({c.node, real}, 0, axis, wanted);
}

template <const roles& R>
std::optional<int> split(const node_context&, std::span<const int> split) {
  const auto cuts = rules::cuts_of(split, {R.x});
  if (!cuts || ((*cuts)[0] != 0 && (*cuts)[0] != unsplit)) return std::nullopt;
  return (*cuts)[0];
}

result<kernels::integer_convolution_problem> problem_of(const prepare_context& c, const roles& r) {
  const auto real = rules::as_real(c, {r.x, r.w});
  const shape taps(c.dims(r.w).span().subspan(2));
  SHOAL_TRY(const auto at, rules::read_window({c.node, real}, taps));
  return kernels::integer_convolution_problem{.source = c.dims(r.x),
                                              .weights = c.dims(r.w),
                                              .target = c.outputs[0].dims,
                                              .at = at,
                                              .groups = c.attrs().get_int("group", 1),
                                              .source_type = c.type(r.x),
                                              .weight_type = c.type(r.w)};
}

/// The sums alone; see kernels/cpu/integer_product.hpp for its inputs. Doubles hold them exactly.
std::unique_ptr<kernel> reference_sums(const kernels::integer_convolution_problem& p) {
  const auto x_count = p.source.element_count(), w_count = p.weights.element_count();
  const auto y_count = p.target.element_count();
  return function_kernel(
      [=](const kernel_io& io) {
        auto* x = reinterpret_cast<double*>(io.scratch);
        auto *w = x + x_count, *y = w + w_count;
        reference::subtract_zero(io.inputs[0], io.inputs[2], {1, 1, x_count}, x);
        reference::subtract_zero(io.inputs[1], io.inputs[3],
                                 {1, p.weights[0], p.weights.element_count(1, p.weights.rank())},
                                 w);
        const auto plain = layout::plain;
        reference::convolution({x, dtype::f64, plain, p.source}, {w, dtype::f64, plain, p.weights},
                               {}, {}, {y, dtype::f64, plain, p.target}, p.at, p.groups, {});
        for (std::int64_t i = 0; i < y_count; ++i)
          io.outputs[0].as<std::int32_t>()[i] =
              static_cast<std::int32_t>(static_cast<std::int64_t>(y[i]));
      },
      {.scratch_bytes = static_cast<std::size_t>(x_count + w_count + y_count) * sizeof(double)});
}

/// Sums, bias, scale and zero point, one after the other.
class quantized_convolution final : public kernel {
 public:
  quantized_convolution(const shape& target, std::unique_ptr<kernel> sums,
                        decltype(&reference::requantize) requantize, const roles& r)
      : extents_{target[0], target[1], target.element_count(2, target.rank())}, target_(target),
        sums_(std::move(sums)), requantize_(requantize), roles_(r) {}

  std::size_t scratch_bytes() const override {
    return sum_bytes() + factor_bytes() + sums_->scratch_bytes();
  }

  void run(const kernel_io& io) override {
    const auto input = [&](std::size_t i) {
      return i < io.inputs.size() ? io.inputs[i] : const_view{};
    };
    const bool integers = roles_.y_zero == none;
    auto* sums =
        integers ? io.outputs[0].as<std::int32_t>() : reinterpret_cast<std::int32_t*>(io.scratch);
    const const_view operands[] = {io.inputs[roles_.x], io.inputs[roles_.w], input(roles_.x_zero),
                                   input(roles_.w_zero)};
    const view products[] = {{sums, dtype::i32, layout::plain, target_}};
    sums_->run({operands, products, io.scratch + sum_bytes() + factor_bytes()});
    if (integers) return;
    if (const auto bias = input(roles_.bias); bias.data != nullptr) add(bias, sums);
    auto* factors = reinterpret_cast<float*>(io.scratch + sum_bytes());
    const auto& w_scale = io.inputs[roles_.w_scale];
    for (std::int64_t m = 0; m < extents_.channels; ++m)
      factors[m] = *io.inputs[roles_.x_scale].as<float>() *
                   w_scale.as<float>()[w_scale.element_count() > 1 ? m : 0] /
                   *io.inputs[roles_.y_scale].as<float>();
    requantize_(sums, extents_, factors, reference::integer(input(roles_.y_zero), 0),
                io.outputs[0]);
  }

 private:
  void add(const const_view& bias, std::int32_t* sums) const {
    for (std::int64_t row = 0; row < extents_.outer * extents_.channels; ++row)
      for (std::int64_t i = 0; i < extents_.inner; ++i, ++sums)
        *sums = static_cast<std::int32_t>(
            static_cast<std::uint32_t>(*sums) +
            static_cast<std::uint32_t>(bias.as<std::int32_t>()[row % extents_.channels]));
  }
  std::size_t sum_bytes() const {
    return roles_.y_zero == none ? 0
                                 : static_cast<std::size_t>(extents_.count() * 4 + 63) / 64 * 64;
  }
  std::size_t factor_bytes() const {
    return static_cast<std::size_t>(extents_.channels * 4 + 63) / 64 * 64;
  }

  product_extents extents_;
  shape target_;
  std::unique_ptr<kernel> sums_;
  decltype(&reference::requantize) requantize_;
  roles roles_;
};

template <const roles& R>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  SHOAL_TRY(const auto p, problem_of(c, R));
  auto sums = kernels::make_integer_convolution(p);
  if (sums == nullptr) return nullptr;
  return std::make_unique<quantized_convolution>(p.target, std::move(sums), kernels::requantize, R);
}

template <const roles& R>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const auto p, problem_of(c, R));
  return std::make_unique<quantized_convolution>(p.target, reference_sums(p), reference::requantize,
                                                 R);
}

/// A kernel of oneDNN that reads the inputs `which` of the node.
class on_chosen_inputs final : public kernel {
 public:
  on_chosen_inputs(std::unique_ptr<kernel> k, std::array<std::size_t, 3> which)
      : kernel_(std::move(k)), which_(which) {}
  void run(const kernel_io& io) override {
    std::array<const_view, 3> chosen;
    for (std::size_t i = 0; i < which_.size(); ++i)
      if (which_[i] < io.inputs.size()) chosen[i] = io.inputs[which_[i]];
    kernel_->run({chosen, io.outputs, io.scratch});
  }
  layout input_layout(std::size_t i) const override {
    return i == which_[0] ? kernel_->input_layout(0) : layout::plain;
  }
  layout output_layout(std::size_t i) const override { return kernel_->output_layout(i); }
  std::size_t scratch_bytes() const override { return kernel_->scratch_bytes(); }

 private:
  std::unique_ptr<kernel> kernel_;
  std::array<std::size_t, 3> which_;
};

/// Everything but X has to be constant, and W to be i8 around 0.
result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  constexpr auto r = linear;
  const auto x_scale = rules::constant_scale(c, r.x_scale);
  const auto y_scale = rules::constant_scale(c, r.y_scale);
  const auto x_zero = rules::constant_zero(c, r.x_zero), y_zero = rules::constant_zero(c, r.y_zero);
  const auto* w_scale = c.inputs[r.w_scale].constant;
  const bool known = x_scale && y_scale && x_zero && y_zero && w_scale != nullptr &&
                     c.inputs[r.w].constant != nullptr && rules::constant_zero(c, r.w_zero) == 0;
  if (!known) return nullptr;
  SHOAL_TRY(const auto base, problem_of(c, r));
  kernels::quantized_convolution_problem p{base, c.outputs[0].type, c.has(r.bias),
                                           {},   *x_zero,           *y_zero};
  for (const float scale : w_scale->values<float>())
    p.scales.push_back(*x_scale * scale / *y_scale);
  auto k = kernels::make_onednn_quantized_convolution(p, c.threads);
  if (k == nullptr) return nullptr;
  const operand operands[] = {c.inputs[r.x], c.inputs[r.w]};
  SHOAL_CHECK(
      pack_constant(*k, {{c.node, operands}, c.outputs, c.input_layouts, c.threads, c.weights}));
  return std::make_unique<on_chosen_inputs>(std::move(k), std::array{r.x, r.w, r.bias});
}

constexpr kernel_entry integer_kernels[] = {{"cpu", prepare_cpu<integer>},
                                            {"reference", prepare_reference<integer>}};
constexpr kernel_entry linear_kernels[] = {{"onednn", prepare_onednn},
                                           {"cpu", prepare_cpu<linear>},
                                           {"reference", prepare_reference<linear>}};

} // namespace

const operator_def conv_integer{
    .name = "ConvInteger",
    .first_opset = 10,
    .min_inputs = 2,
    .max_inputs = 4,
    .infer = infer<integer>,
    .cost = cost<integer>,
    .receptive_field = field<integer>,
    .split_axis = split<integer>,
    .kernels = integer_kernels,
};

const operator_def qlinear_conv{
    .name = "QLinearConv",
    .first_opset = 10,
    .min_inputs = 8,
    .max_inputs = 9,
    .infer = infer<linear>,
    .cost = cost<linear>,
    .receptive_field = field<linear>,
    .split_axis = split<linear>,
    .kernels = linear_kernels,
};

} // namespace shoal::operators
