#include "runtime/operators/quantization_rules.hpp"

#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"

#include <algorithm>

namespace shoal::rules {

using arguments::refuse;

result<void> expect_bytes(const node_context& c, std::size_t i) {
  return arguments::expect_type(c, i, {dtype::u8, dtype::i8});
}

result<void> expect_single(const node_context& c, std::size_t i, dtype type) {
  return expect_per_channel(c, i, type, 1);
}

result<void> expect_per_channel(const node_context& c, std::size_t i, dtype type,
                                std::int64_t channels) {
  if (!c.has(i)) return refuse(c, errc::malformed, "input {} is missing", i);
  SHOAL_CHECK(arguments::expect_type(c, i, {type}));
  const auto count = c.dims(i).element_count();
  const bool vector =
      c.dims(i).rank() <= 1 || std::any_of(c.dims(i).begin(), c.dims(i).end(),
                                           [&](std::int64_t extent) { return extent == count; });
  if (vector && (count == 1 || count == channels)) return {};
  if (channels == 1)
    return refuse(c, errc::unsupported, "input {}: one value is supported, got {}", i,
                  to_string(c.inputs[i].type));
  return refuse(c, errc::unsupported, "input {}: one value or {} are supported, got {}", i,
                channels, to_string(c.inputs[i].type));
}

std::vector<operand> as_real(const node_context& c, std::initializer_list<std::size_t> chosen) {
  std::vector<operand> operands;
  for (const auto i : chosen)
    operands.push_back({{dtype::f32, c.dims(i)}, nullptr, c.inputs[i].present});
  return operands;
}

std::optional<std::vector<int>> cuts_of(std::span<const int> split,
                                        std::initializer_list<std::size_t> chosen) {
  for (std::size_t i = 0; i < split.size(); ++i)
    if (split[i] != unsplit && std::find(chosen.begin(), chosen.end(), i) == chosen.end())
      return std::nullopt;
  std::vector<int> cuts;
  for (const auto i : chosen) cuts.push_back(split[i]);
  return cuts;
}

std::optional<float> constant_scale(const node_context& c, std::size_t i) {
  const auto* content = c.has(i) ? c.inputs[i].constant : nullptr;
  if (content == nullptr || content->element_type() != dtype::f32 || content->element_count() != 1)
    return std::nullopt;
  return content->values<float>()[0];
}

std::optional<std::int32_t> constant_zero(const node_context& c, std::size_t i) {
  if (!c.has(i)) return 0;
  const auto* content = c.inputs[i].constant;
  if (content == nullptr || content->element_count() < 1) return std::nullopt;
  const auto first = reference::integer(*content, 0);
  for (std::int64_t k = 1; k < content->element_count(); ++k)
    if (reference::integer(*content, k) != first) return std::nullopt;
  return first;
}

} // namespace shoal::rules
