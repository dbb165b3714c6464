#pragma once

#include "tests/support/model_builder.hpp"
#include "tests/support/operator_examples.hpp"

/// The examples of one family of operators each, and words to write them with.
namespace shoal::test::examples {

using list = std::vector<node_case>;

void add_elementwise(list& all);
void add_windows(list& all);
void add_movement(list& all);
void add_products(list& all);
void add_quantized(list& all);
void add_reductions(list& all);
void add_sequences(list& all);
void add_selection(list& all);

attribute ints(std::vector<std::int64_t> values);
attribute floats(std::vector<float> values);

/// Seeded values; another seed with every call.
node_input some(dtype type, const shape& dims, double low, double high);
/// Of f32.
node_input f(const shape& dims, double low = -1, double high = 1);
/// Known before the first run.
node_input fixed(node_input input);
/// One number, known before the first run.
node_input number(float value);
node_input byte(std::uint8_t value);
/// A vector of int64, known before the first run.
node_input listed(std::vector<std::int64_t> values);
/// An optional input that is left out.
node_input none();

} // namespace shoal::test::examples
