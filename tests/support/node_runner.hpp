#pragma once

#include "runtime/operators/operator.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shoal::test {

/// One input of a node under test. An empty tensor stands for an optional input that is left out.
struct node_input {
  node_input(tensor v, bool is_constant = false) : value(std::move(v)), constant(is_constant) {}
  tensor value;
  bool constant; ///< known before the first run, as weights are
};

/// A node without a graph around it.
struct node_case {
  std::string op;
  std::vector<node_input> inputs;
  attributes attrs = {};
  std::string domain = "";
  int opset = 17;
  std::size_t outputs = 1;
  int threads = 1;
  layout producers = layout::plain; ///< what writes the inputs of two and more axes
};

/// Output types by the operator's shape rule.
result<std::vector<tensor_type>> infer_node(const node_case& test);

/// Outputs by the kernel called `kernel_name` ("" is the first that applies). An operator without
/// kernels (a view, or one with `evaluate`) is computed accordingly. Inputs and outputs are plain,
/// whatever layouts the kernel asks for. An error when no kernel of that name applies.
result<std::vector<tensor>> run_node(const node_case& test, std::string_view kernel_name = "");

/// A node whose kernel is prepared once and run on many inputs of the same types. Those that are
/// constant stay as they were.
class prepared_node {
 public:
  /// As for `run_node`.
  static result<prepared_node> make(const node_case& test, std::string_view kernel_name = "");
  /// Every output holds bytes of the value `garbage` before the run.
  result<std::vector<tensor>> run(const std::vector<node_input>& inputs,
                                  unsigned char garbage = 0xcd);

 private:
  struct state;
  explicit prepared_node(std::shared_ptr<state> s) : state_(std::move(s)) {}
  std::shared_ptr<state> state_;
};

/// Names of the kernels that apply to this case.
std::vector<std::string> applicable_kernels(const node_case& test);

/// Largest |a - b| / (absolute + relative * |b|) over all elements, of f32/f64/f16/bf16 tensors as
/// double; integers must be equal. 1 or less means "within". NaN matches NaN only. Infinite when
/// the types differ.
double mismatch(const tensor& a, const tensor& b, double relative = 1e-4, double absolute = 1e-5);

/// Uniform in [low, high), rounded for integer types, from a seeded generator.
tensor random_tensor(const tensor_type& type, std::uint64_t seed, double low = -1, double high = 1);

} // namespace shoal::test
