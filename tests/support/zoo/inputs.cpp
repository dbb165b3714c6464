#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

namespace shoal::test {
namespace {

tensor whole_numbers(std::string_view name, const shape& dims, std::int64_t first) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(dims.element_count()));
  const bool is_mask = name.find("mask") != name.npos, is_kind = name.find("type") != name.npos;
  std::int64_t i = 0;
  for (auto& v : values) {
    v = is_mask ? i % 5 != 4 : is_kind ? i % 2 : (first + i) % 100;
    ++i;
  }
  return tensor::of<std::int64_t>(dims, std::span<const std::int64_t>(values));
}

} // namespace

std::vector<tensor> make_inputs(const graph& model, std::uint64_t seed,
                                const std::map<std::string, std::int64_t>& extents) {
  random_numbers random(seed);
  std::vector<tensor> inputs;
  for (const auto id : model.inputs()) {
    const auto& value = model.value(id);
    shape dims;
    for (const auto& d : *value.dims) {
      const auto chosen = extents.find(d.symbol);
      dims.push_back(d.extent >= 0 ? d.extent : chosen == extents.end() ? 1 : chosen->second);
    }
    if (value.type == dtype::i64)
      inputs.push_back(whole_numbers(value.name, dims, static_cast<std::int64_t>(seed)));
    else
      inputs.push_back(random.tensor_of(dims, 0.5f));
  }
  return inputs;
}

} // namespace shoal::test
