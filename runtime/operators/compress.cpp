#include "runtime/operators/by_values.hpp"
#include "runtime/operators/operators.hpp"

#include <cstring>

namespace shoal::operators {
namespace {

/// The entries along `axis` whose condition holds; of all elements in a row without an axis.
result<std::vector<tensor>> evaluate(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::boolean}));
  if (c.dims(1).rank() != 1)
    return arguments::refuse(c, errc::invalid_argument, "the condition is {}, expected a vector",
                             to_string(c.inputs[1].type));
  SHOAL_CHECK(by_values::expect(c));
  SHOAL_TRY(const auto listed, by_values::axis_or_row(c));
  auto [dims, axis] = listed;
  const auto conditions = c.inputs[1].constant->values<bool>();
  if (static_cast<std::int64_t>(conditions.size()) > dims[axis])
    return arguments::refuse(c, errc::invalid_argument,
                             "there are {} conditions for {} entries along axis {}",
                             conditions.size(), dims[axis], axis);
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < conditions.size(); ++i)
    if (conditions[i]) kept.push_back(static_cast<std::int64_t>(i));
  const auto extent = dims[axis];
  dims[axis] = static_cast<std::int64_t>(kept.size());
  SHOAL_TRY(auto out, tensor::allocate({c.type(0), dims}));
  const auto bytes =
      static_cast<std::size_t>(dims.element_count(axis + 1, dims.rank())) * size_of(c.type(0));
  auto* to = out.mutable_data();
  for (std::int64_t outer = 0; outer < dims.element_count(0, axis); ++outer)
    for (const auto i : kept) {
      const auto* from = c.inputs[0].constant->data();
      std::memcpy(to, from + static_cast<std::size_t>(outer * extent + i) * bytes, bytes);
      to += bytes;
    }
  return std::vector{out};
}

} // namespace

const operator_def compress{.name = "Compress",
                            .first_opset = 9,
                            .min_inputs = 2,
                            .max_inputs = 2,
                            .infer = by_values::infer<evaluate>,
                            .evaluate = evaluate};

} // namespace shoal::operators
