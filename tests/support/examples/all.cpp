#include "tests/support/examples/examples.hpp"

namespace shoal::test {
namespace examples {
namespace {

std::uint64_t last_seed = 0;

} // namespace

attribute ints(std::vector<std::int64_t> values) {
  return values;
}

attribute floats(std::vector<float> values) {
  return values;
}

node_input some(dtype type, const shape& dims, double low, double high) {
  return random_tensor({type, dims}, ++last_seed, low, high);
}

node_input f(const shape& dims, double low, double high) {
  return some(dtype::f32, dims, low, high);
}

node_input fixed(node_input input) {
  input.constant = true;
  return input;
}

node_input number(float value) {
  return {tensor::of<float>({}, {value}), true};
}

node_input byte(std::uint8_t value) {
  return {tensor::of<std::uint8_t>({}, {value}), true};
}

node_input listed(std::vector<std::int64_t> values) {
  return {tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values), true};
}

node_input none() {
  return tensor();
}

} // namespace examples

std::vector<node_case> operator_examples() {
  using namespace examples;
  std::vector<node_case> all;
  std::uint64_t family = 0;
  for (const auto add : {add_elementwise, add_windows, add_movement, add_products, add_quantized,
                         add_reductions, add_sequences, add_selection}) {
    last_seed = 10000 * ++family; // those of one family do not depend on how many another has
    add(all);
  }
  return all;
}

} // namespace shoal::test
