#include "tests/support/node_runner.hpp"

#include "kernels/reference/reorder.hpp"
#include "runtime/base/fail.hpp"

#include <omp.h>

#include <cmath>
#include <limits>
#include <random>

namespace shoal::test {
namespace {

/// Everything that a node needs around it to be asked and run.
struct bench {
  explicit bench(const node_case& test) {
    node.name = "node_under_test";
    node.opset = test.opset;
    node.attrs = test.attrs;
    for (std::size_t i = 0; i < test.inputs.size(); ++i) {
      const auto& in = test.inputs[i];
      node.inputs.push_back(in.value.empty() ? no_value : static_cast<value_id>(i));
      operands.push_back({in.value.empty() ? tensor_type{} : in.value.type(),
                          in.constant ? &in.value : nullptr, !in.value.empty()});
      layouts.push_back(operands.back().type.dims.rank() < 2 ? layout::plain : test.producers);
    }
    for (std::size_t i = 0; i < test.outputs; ++i)
      node.outputs.push_back(static_cast<value_id>(test.inputs.size() + i));
  }

  result<void> infer(const node_case& test) {
    SHOAL_TRY(node.definition, find_operator(test.op, test.domain, test.opset, node.name));
    if (node.definition->check != nullptr) SHOAL_CHECK(node.definition->check(node));
    SHOAL_TRY(types, node.definition->infer({node, operands}));
    return {};
  }
  prepare_context context(const node_case& test) {
    return {{node, operands}, types, layouts, test.threads, weights};
  }

  graph_node node;
  std::vector<operand> operands;
  std::vector<layout> layouts;
  std::vector<tensor_type> types;
  weight_cache weights;
};

tensor stored(const tensor_type& type, layout format, unsigned char garbage = 0xcd) {
  const auto elements = stored_elements(type.dims, format);
  tensor t({type.type, {elements}},
           allocate_storage(static_cast<std::size_t>(elements) * size_of(type.type)));
  std::memset(t.mutable_data(), garbage, t.byte_size()); // a kernel that leaves holes is caught
  return t;
}

std::vector<tensor> run(kernel& k, const std::vector<node_input>& given, int threads,
                        const bench& b, unsigned char garbage) {
  std::vector<tensor> inputs, outputs, plain;
  std::vector<const_view> in;
  std::vector<view> out;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& value = given[i].value;
    if (value.empty()) {
      in.push_back({});
      continue;
    }
    const view v{nullptr, value.element_type(), k.input_layout(i), value.dims()};
    inputs.push_back(stored(value.type(), v.format));
    in.push_back({inputs.back().data(), v.type, v.format, v.dims});
    reference::reorder(value, {inputs.back().mutable_data(), v.type, v.format, v.dims});
  }
  for (std::size_t i = 0; i < b.types.size(); ++i) {
    outputs.push_back(stored(b.types[i], k.output_layout(i), garbage));
    out.push_back(
        {outputs.back().mutable_data(), b.types[i].type, k.output_layout(i), b.types[i].dims});
  }
  const auto scratch = allocate_storage(k.scratch_bytes());
  omp_set_num_threads(threads);
  k.run({in, out, scratch->data()});
  for (std::size_t i = 0; i < b.types.size(); ++i) {
    plain.push_back(stored(b.types[i], layout::plain).reshaped(b.types[i].dims));
    reference::reorder(out[i], plain.back().mutable_view());
  }
  return plain;
}

} // namespace

result<std::vector<tensor_type>> infer_node(const node_case& test) {
  bench b(test);
  SHOAL_CHECK(b.infer(test));
  return b.types;
}

struct prepared_node::state {
  explicit state(const node_case& t) : test(t), bench_of(t) {}
  node_case test; ///< holds the constants that the kernel was prepared with
  bench bench_of;
  std::unique_ptr<kernel> prepared; ///< null where the operator needs none
};

result<prepared_node> prepared_node::make(const node_case& test, std::string_view kernel_name) {
  auto made = std::make_shared<state>(test);
  auto& b = made->bench_of;
  SHOAL_CHECK(b.infer(made->test));
  const auto& op = *b.node.definition;
  if (op.is_view || op.evaluate != nullptr) return prepared_node(std::move(made));
  for (const auto& entry : op.kernels) {
    if (!kernel_name.empty() && entry.name != kernel_name) continue;
    SHOAL_TRY(made->prepared, entry.prepare(b.context(made->test)));
    if (made->prepared != nullptr) return prepared_node(std::move(made));
  }
  return fail(errc::unsupported, "no kernel '{}' of {} applies", kernel_name, test.op);
}

result<std::vector<tensor>> prepared_node::run(const std::vector<node_input>& inputs,
                                               unsigned char garbage) {
  auto& b = state_->bench_of;
  const auto& op = *b.node.definition;
  if (op.is_view) return std::vector<tensor>{inputs[0].value.reshaped(b.types[0].dims)};
  if (op.evaluate != nullptr) return op.evaluate({b.node, b.operands});
  try {
    return test::run(*state_->prepared, inputs, state_->test.threads, b, garbage);
  } catch (const kernel_error& e) {
    return node_error(b.node, errc::invalid_argument, e.what());
  }
}

result<std::vector<tensor>> run_node(const node_case& test, std::string_view kernel_name) {
  SHOAL_TRY(auto prepared, prepared_node::make(test, kernel_name));
  return prepared.run(test.inputs);
}

std::vector<std::string> applicable_kernels(const node_case& test) {
  std::vector<std::string> names;
  bench b(test);
  if (!b.infer(test)) return names;
  for (const auto& entry : b.node.definition->kernels)
    if (auto k = entry.prepare(b.context(test)); k && *k != nullptr) names.emplace_back(entry.name);
  return names;
}

double mismatch(const tensor& a, const tensor& b, double relative, double absolute) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (a.type() != b.type()) return infinite;
  if (!is_floating(a.element_type())) return identical(a, b) ? 0 : infinite;
  return visit_dtype(a.element_type(), [&]<class T>(std::type_identity<T>) {
    double worst = 0;
    for (std::size_t i = 0; i < a.values<T>().size(); ++i) {
      const auto x = static_cast<double>(a.values<T>()[i]),
                 y = static_cast<double>(b.values<T>()[i]);
      if (std::isnan(x) || std::isnan(y)) {
        if (std::isnan(x) != std::isnan(y)) return infinite;
      } else if (x != y) {
        worst = std::max(worst, std::abs(x - y) / (absolute + relative * std::abs(y)));
      }
    }
    return worst;
  });
}

tensor random_tensor(const tensor_type& type, std::uint64_t seed, double low, double high) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  tensor t(type, allocate_storage(static_cast<std::size_t>(type.dims.element_count()) *
                                  size_of(type.type)));
  visit_dtype(type.type, [&]<class T>(std::type_identity<T>) {
    for (auto& v : t.mutable_values<T>()) {
      const double drawn = uniform(random);
      if constexpr (std::is_same_v<T, bool>)
        v = drawn > (low + high) / 2;
      else if constexpr (std::is_integral_v<T>)
        v = static_cast<T>(std::floor(drawn));
      else
        v = static_cast<T>(static_cast<float>(drawn));
    }
  });
  return t;
}

} // namespace shoal::test
