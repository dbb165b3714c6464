#include "runtime/plan/example.hpp"

#include "runtime/session/session.hpp"

#include <random>

namespace shoal {
namespace {

result<tensor> noise(const tensor_type& type) {
  SHOAL_TRY(auto t, tensor::allocate(type));
  std::mt19937 random(1);
  visit_dtype(type.type, [&]<class T>(std::type_identity<T>) {
    for (auto& v : t.mutable_values<T>()) {
      const auto word = random();
      if constexpr (std::is_integral_v<T>)
        v = static_cast<T>(word % 2);
      else
        v = static_cast<T>(static_cast<float>(word >> 8) * 0x1p-24f);
    }
  });
  return t;
}

} // namespace

result<std::vector<tensor>> example_inputs(std::span<const tensor_type> types) {
  std::vector<tensor> values;
  for (const auto& type : types) {
    SHOAL_TRY(values.emplace_back(), noise(type));
  }
  return values;
}

result<std::unique_ptr<bound_graph>> bind_example(std::shared_ptr<const graph> model,
                                                  std::span<const tensor_type> inputs) {
  std::vector<operand> operands;
  for (const auto& type : inputs) operands.push_back({type, nullptr, true});
  SHOAL_TRY(auto bound, bind_known_types(model, operands));
  if (!bound->why_open) return bound;
  SHOAL_TRY(const auto compiled,
            session::compile(model, operands, std::make_shared<weight_cache>()));
  SHOAL_TRY(const auto values, example_inputs(inputs));
  workspace arena;
  auto ran = compiled->run(values, arena);
  if (!ran)
    return std::move(ran).error().within(
        "its shapes depend on values, and it cannot be planned by a run on noise");
  std::map<std::string, tensor_type> types;
  compiled->list_types(types);
  for (value_id id = 0; id < bound->values.size(); ++id)
    if (const auto seen = types.find(model->value(id).name);
        seen != types.end() && !bound->values[id].present)
      bound->values[id] = {seen->second, nullptr, true};
  return bound;
}

} // namespace shoal
