#include "runtime/session/binding.hpp"
#include "runtime/session/session_cache.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Every node on its own, every value in memory of its own: nothing is planned, shared or reused.
std::vector<tensor> run_naively(const graph& model, const std::vector<tensor>& inputs) {
  std::vector<tensor> values;
  for (const auto& value : model.values()) values.push_back(value.constant);
  for (std::size_t i = 0; i < inputs.size(); ++i) values[model.inputs()[i]] = inputs[i];
  for (const auto& node : model.nodes()) {
    std::vector<const tensor*> operands;
    for (const auto id : node.inputs) operands.push_back(id == no_value ? nullptr : &values[id]);
    auto made = evaluate_node(node, operands);
    REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
    for (std::size_t o = 0; o < node.outputs.size(); ++o) values[node.outputs[o]] = (*made)[o];
  }
  std::vector<tensor> outputs;
  for (const auto id : model.outputs()) outputs.push_back(values[id]);
  return outputs;
}

bool is_finite(const tensor& t) {
  for (const auto v : t.values<float>())
    if (!(v - v == 0)) return false;
  return true;
}

} // namespace

// Views, overwritten inputs, reordered copies, shared slots and the arena: whatever a session does
// with memory, the bytes are those of the kernels run one by one.
TEST_CASE("sessions of random models compute what their nodes compute one by one") {
  session_options options;
  for (std::uint64_t seed = 1000; seed < 1400; ++seed) {
    CAPTURE(seed);
    const auto model = std::make_shared<const graph>(make_random_model(seed));
    session_cache sessions(model, options);
    workspace arena;
    for (const std::uint64_t run : {1, 2}) { // twice: the second finds the first's leftovers
      const auto inputs = make_inputs(*model, run);
      const auto expected = run_naively(*model, inputs);
      const auto got = sessions.run(inputs, arena);
      REQUIRE_MESSAGE(got, (got ? std::string() : got.error().message()));
      REQUIRE(got->size() == expected.size());
      for (std::size_t o = 0; o < expected.size(); ++o) {
        CAPTURE(o);
        CHECK(is_finite(expected[o]));
        CHECK(identical((*got)[o], expected[o]));
      }
    }
  }
}

TEST_CASE("one workspace serves the sessions of many models in turn") {
  workspace arena;
  std::vector<std::unique_ptr<session_cache>> sessions;
  std::vector<std::vector<tensor>> inputs, first;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto model = std::make_shared<const graph>(make_random_model(seed));
    sessions.push_back(std::make_unique<session_cache>(model, session_options{}));
    inputs.push_back(make_inputs(*model, seed));
    first.push_back(run_naively(*model, inputs.back()));
  }
  for (int round = 0; round < 3; ++round)
    for (std::size_t m = 0; m < sessions.size(); ++m) {
      CAPTURE(m);
      const auto got = sessions[m]->run(inputs[m], arena);
      REQUIRE(got);
      for (std::size_t o = 0; o < got->size(); ++o) CHECK(identical((*got)[o], first[m][o]));
    }
}
