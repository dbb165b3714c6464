#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// The extents of input 0 that are asked for; all before opset 15.
shape asked(const node_context& c) {
  const auto& dims = c.dims(0);
  const auto bound = [&](std::string_view name, std::int64_t fallback) {
    const auto at = c.attrs().get_int(name, fallback);
    return std::clamp<std::int64_t>(at < 0 ? at + dims.rank() : at, 0, dims.rank());
  };
  const auto first = static_cast<int>(bound("start", 0));
  const auto last = static_cast<int>(bound("end", dims.rank()));
  shape out;
  for (int axis = first; axis < last; ++axis) out.push_back(dims[axis]);
  return out;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  return arguments::one_output(dtype::i64, {asked(c).rank()});
}

result<std::vector<tensor>> evaluate(const node_context& c) {
  const auto extents = asked(c);
  return std::vector<tensor>{tensor::of<std::int64_t>({extents.rank()}, extents.span())};
}

result<std::vector<tensor_type>> infer_size(const node_context&) {
  return arguments::one_output(dtype::i64, {});
}

result<std::vector<tensor>> evaluate_size(const node_context& c) {
  return std::vector<tensor>{tensor::of<std::int64_t>({}, {c.dims(0).element_count()})};
}

} // namespace

const operator_def shape_of{.name = "Shape", .infer = infer, .evaluate = evaluate};
const operator_def size_of_tensor{.name = "Size", .infer = infer_size, .evaluate = evaluate_size};

} // namespace shoal::operators
