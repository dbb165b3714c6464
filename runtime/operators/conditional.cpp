#include "runtime/operators/arguments.hpp"
#include "runtime/operators/control_flow.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

result<void> check(const graph_node& node) {
  SHOAL_CHECK(control_flow::expect_body(node, "then_branch"));
  return control_flow::expect_body(node, "else_branch");
}

result<std::vector<tensor>> run(const node_context& c, body_runner& bodies) {
  SHOAL_TRY(const bool yes, control_flow::condition(c, *c.inputs[0].constant));
  return bodies.run(yes ? "then_branch" : "else_branch", {});
}

} // namespace

const operator_def conditional{.name = "If", .max_outputs = -1, .check = check, .run_bodies = run};

} // namespace shoal::operators
