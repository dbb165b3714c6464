#include "runtime/session/batch_split.hpp"

#include "runtime/base/fail.hpp"

#include <cstring>

namespace shoal {
namespace {

/// The axis along which the outputs of node `n` are cut, if its inputs are cut as `split` says.
std::optional<int> split_of(const bound_graph& bound, std::size_t n,
                            const std::vector<int>& split_of_value) {
  const auto& node = bound.model->nodes()[n];
  const auto operands = bound.operands_of(n);
  std::vector<int> split;
  bool any = false;
  for (const auto id : node.inputs) {
    split.push_back(id == no_value ? unsplit : split_of_value[id]);
    any = any || split.back() != unsplit;
  }
  if (!any) return unsplit;
  if (node.definition->split_axis == nullptr) return std::nullopt;
  return node.definition->split_axis({node, operands}, split);
}

tensor slice(const tensor& whole, std::int64_t first, std::int64_t count) {
  auto type = whole.type();
  const auto row =
      type.dims[0] == 0 ? 0 : whole.byte_size() / static_cast<std::size_t>(type.dims[0]);
  type.dims[0] = count;
  return {type, whole.bytes_owner(), whole.byte_offset() + static_cast<std::size_t>(first) * row};
}

result<tensor> join(const std::vector<std::vector<tensor>>& parts, std::size_t output) {
  auto type = parts[0][output].type();
  if (type.dims.rank() == 0)
    return fail(errc::invalid_argument, "output {} is a scalar and cannot be joined", output);
  type.dims[0] = 0;
  for (const auto& part : parts) {
    auto rest = part[output].type();
    const auto rows = rest.dims.rank() == 0 ? 0 : rest.dims[0];
    if (rest.dims.rank() > 0) rest.dims[0] = type.dims[0];
    if (rest != type)
      return fail(errc::internal, "output {} of one part is {}, of another {}", output,
                  to_string(parts[0][output].type()), to_string(part[output].type()));
    type.dims[0] += rows;
  }
  SHOAL_TRY(auto whole, tensor::allocate(type));
  auto* out = whole.mutable_data();
  for (const auto& part : parts) {
    const auto bytes = part[output].bytes();
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
  }
  return whole;
}

} // namespace

bool batch_splits(const bound_graph& bound) {
  const auto& model = *bound.model;
  std::vector<int> split(model.values().size(), unsplit);
  for (const auto id : model.inputs()) {
    if (bound.value(id).type.dims.rank() == 0) return false;
    split[id] = 0;
  }
  for (std::size_t n = 0; n < model.nodes().size(); ++n) {
    if (bound.folded[n]) continue;
    const auto axis = split_of(bound, n, split);
    if (!axis) return false;
    for (const auto id : model.nodes()[n].outputs)
      if (id != no_value) split[id] = *axis;
  }
  for (const auto id : model.outputs())
    if (split[id] != 0) return false;
  return !model.inputs().empty();
}

result<std::vector<std::vector<tensor>>> split_batch(std::span<const tensor> inputs,
                                                     std::size_t parts) {
  if (parts <= 1) return std::vector<std::vector<tensor>>{{inputs.begin(), inputs.end()}};
  if (inputs.empty()) return fail(errc::invalid_argument, "there is no input to split");
  for (const auto& input : inputs)
    if (input.dims().rank() == 0 || input.dims()[0] != inputs[0].dims()[0])
      return fail(errc::invalid_argument,
                  "inputs can be split into parts when they share axis 0; {} and {} do not",
                  to_string(inputs[0].type()), to_string(input.type()));
  const auto batch = inputs[0].dims()[0];
  const auto count = static_cast<std::int64_t>(parts);
  if (count > batch)
    return fail(errc::invalid_argument, "a batch of {} cannot be split into {} parts", batch,
                parts);
  std::vector<std::vector<tensor>> out(parts);
  std::int64_t first = 0;
  for (std::int64_t p = 0; p < count; ++p) {
    const auto rows = batch / count + (p < batch % count ? 1 : 0);
    for (const auto& input : inputs)
      out[static_cast<std::size_t>(p)].push_back(slice(input, first, rows));
    first += rows;
  }
  return out;
}

result<std::vector<tensor>> join_batch(std::vector<std::vector<tensor>> parts) {
  if (parts.size() == 1) return std::move(parts[0]);
  std::vector<tensor> whole;
  for (std::size_t output = 0; output < parts[0].size(); ++output) {
    SHOAL_TRY(auto joined, join(parts, output));
    whole.push_back(std::move(joined));
  }
  return whole;
}

} // namespace shoal
