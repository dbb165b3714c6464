#include "actors/value_specs.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

std::vector<value_spec> describe_values(const graph& model, std::span<const value_id> ids) {
  std::vector<value_spec> specs;
  for (const auto id : ids) {
    const auto& value = model.value(id);
    value_spec spec{value.name, static_cast<std::uint8_t>(value.type.value_or(dtype::f32)), {}};
    if (value.dims)
      for (const auto& d : *value.dims) spec.dims.push_back(d.extent);
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::vector<value_spec> describe_values(const graph& model, std::span<const value_id> ids,
                                        std::span<const tensor_type> types) {
  std::vector<value_spec> specs;
  for (std::size_t i = 0; i < ids.size(); ++i)
    specs.push_back({model.value(ids[i]).name,
                     static_cast<std::uint8_t>(types[i].type),
                     {types[i].dims.begin(), types[i].dims.end()}});
  return specs;
}

result<std::vector<tensor_type>> types_of(std::span<const value_spec> values) {
  std::vector<tensor_type> types;
  for (const auto& v : values) {
    if (v.type >= dtype_count || v.dims.size() > shape::max_rank)
      return fail(errc::malformed, "'{}' has element type {} and {} dimensions", v.name, v.type,
                  v.dims.size());
    if (auto count = checked_element_count(v.dims); !count)
      return count.error().within("'" + v.name + "'");
    types.push_back({static_cast<dtype>(v.type), shape(v.dims)});
  }
  return types;
}

std::vector<value_spec> example_inputs(const graph& model) {
  constexpr std::int64_t usual_extent = 224;
  auto specs = describe_values(model, model.inputs());
  for (auto& spec : specs)
    for (std::size_t axis = 0; axis < spec.dims.size(); ++axis)
      if (spec.dims[axis] < 0) spec.dims[axis] = axis == 0 ? 1 : usual_extent;
  return specs;
}

} // namespace shoal
