#include "runtime/operators/arguments.hpp"
#include "runtime/operators/fourier_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

/// From how many elements the frames are made.
result<std::int64_t> frame_length(const node_context& c) {
  if (!c.has(3)) return c.has(2) ? c.dims(2)[0] : c.dims(0)[1];
  SHOAL_TRY(const auto given, arguments::constant_ints(c, 3, "frame_length"));
  if (given.size() != 1)
    return refuse(c, errc::malformed, "frame_length has {} elements, expected one", given.size());
  if (c.has(2) && c.dims(2)[0] != given[0])
    return refuse(c, errc::invalid_argument, "frame_length is {}, but the window is {}", given[0],
                  to_string(c.dims(2)));
  return given[0];
}

/// [batch,length,parts] to [batch,frames,frequencies,2].
result<fourier_problem> problem_of(const node_context& c) {
  const auto& x = c.dims(0);
  if (x.rank() != 3 || x[2] < 1 || x[2] > 2)
    return refuse(c, errc::invalid_argument,
                  "input 0: expected [batch,length,1] (real) or [batch,length,2] (complex), got {}",
                  to_string(x));
  if (c.has(2) && c.dims(2).rank() != 1)
    return refuse(c, errc::invalid_argument, "input 2: expected a vector, got {}",
                  to_string(c.dims(2)));
  const bool onesided = c.attrs().get_int("onesided", 1) != 0;
  fourier_problem p;
  p.complex_in = x[2] == 2;
  if (onesided && p.complex_in)
    return refuse(c, errc::invalid_argument, "onesided is for real input, got {}", to_string(x));
  SHOAL_TRY(p.length, frame_length(c));
  SHOAL_CHECK(rules::check_transform_length(c, p.length));
  SHOAL_TRY(const auto steps, arguments::constant_ints(c, 1, "frame_step"));
  if (steps.size() != 1 || steps[0] < 1)
    return refuse(c, errc::invalid_argument, "frame_step is no positive number");
  if (p.length > x[1])
    return refuse(c, errc::invalid_argument, "frames of {} elements of a signal of {}", p.length,
                  x[1]);
  p.given = p.length;
  p.kept = onesided ? p.length / 2 + 1 : p.length;
  p.window = c.has(2) ? 2 : 0;
  p.outer = x[0];
  p.inner = (x[1] - p.length) / steps[0] + 1;
  // A step beyond the signal leaves one frame, whose distance to the next has no meaning.
  p.source = {x[1] * x[2], p.inner == 1 ? 0 : steps[0] * x[2], x[2]};
  p.target = {p.inner * p.kept * 2, p.kept * 2, 2};
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  if (c.has(2)) SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
  SHOAL_TRY(const auto p, problem_of(c));
  const shape y{p.outer, p.inner, p.kept, 2};
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  return arguments::one_output(c.type(0), checked);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto p = problem_of(c);
  return p ? rules::fourier_cost(c, *p, outputs) : operator_cost{};
}

/// Frames overlap, and axis 1 counts frames in the output but elements in the input.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0) return std::nullopt;
  if (axis == 0) return wanted;
  const auto p = problem_of(c);
  if (axis != 1 || !p) return std::nullopt;
  const auto step = p->source.inner / p->source.element;
  return interval{wanted.first * step, wanted.last * step + p->length - 1};
}

std::optional<int> split_axis(const node_context&, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] > 0) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def stft{
    .name = "STFT",
    .first_opset = 17,
    .min_inputs = 2,
    .max_inputs = 4,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = rules::fourier_kernels<problem_of>,
};

} // namespace shoal::operators
