#include "tests/support/model_builder.hpp"

#include "runtime/operators/operator.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

namespace shoal::test {

std::uint64_t random_numbers::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

tensor random_numbers::tensor_of(const shape& dims, float deviation, float mean) {
  const float reach = deviation * std::sqrt(3.0f);
  std::vector<float> values(static_cast<std::size_t>(dims.element_count()));
  for (auto& v : values) v = mean + uniform(-reach, reach);
  return tensor::of<float>(dims, std::span<const float>(values));
}

model_builder::model_builder(std::string name, int opset, std::uint64_t seed)
    : opset_(opset), numbers_(seed) {
  b_.name = std::move(name);
}

value_id model_builder::input(std::string name, dtype type, std::vector<extent> dims) {
  graph_value value;
  value.name = std::move(name);
  value.type = type;
  value.dims.emplace(dims.begin(), dims.end());
  b_.inputs.push_back(b_.add_value(std::move(value)));
  return b_.inputs.back();
}

value_id model_builder::constant(tensor content) {
  return b_.add_constant(fmt::format("{}w{}", path_, b_.values.size()), std::move(content));
}

value_id model_builder::ints(std::initializer_list<std::int64_t> values) {
  return constant(tensor::of({static_cast<std::int64_t>(values.size())}, values));
}

value_id model_builder::scalar(float value) {
  return constant(tensor::of<float>({}, {value}));
}

value_id model_builder::random(const shape& dims, float deviation, float mean) {
  return constant(numbers_.tensor_of(dims, deviation, mean));
}

value_id model_builder::node(std::string_view op, std::vector<value_id> inputs, attributes attrs,
                             std::string_view domain) {
  return node_of(1, op, std::move(inputs), std::move(attrs), domain)[0];
}

std::vector<value_id> model_builder::node_of(std::size_t outputs, std::string_view op,
                                             std::vector<value_id> inputs, attributes attrs,
                                             std::string_view domain) {
  graph_node n;
  n.name = fmt::format("{}{}{}", path_, op, b_.nodes.size());
  n.opset = domain.empty() ? opset_ : 1;
  auto found = find_operator(op, domain, n.opset, n.name);
  if (!found) throw std::logic_error(found.error().message());
  n.definition = *found;
  n.inputs = std::move(inputs);
  n.attrs = std::move(attrs);
  for (std::size_t i = 0; i < outputs; ++i) {
    graph_value value;
    value.name = i == 0 ? n.name : fmt::format("{}.{}", n.name, i);
    n.outputs.push_back(b_.add_value(std::move(value)));
  }
  b_.nodes.push_back(n);
  return n.outputs;
}

void model_builder::output(value_id id, std::string name, dtype type) {
  b_.values[id].name = std::move(name);
  b_.values[id].type = type;
  b_.outputs.push_back(id);
}

graph model_builder::build() && {
  auto built = std::move(b_).build();
  if (!built) throw std::logic_error(built.error().message());
  return *std::move(built);
}

attributes attrs_of(std::initializer_list<std::pair<std::string, attribute>> entries) {
  attributes attrs;
  for (const auto& [name, value] : entries) attrs.set(name, value);
  return attrs;
}

} // namespace shoal::test
