#include "runtime/session/binding.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/session/session_plan.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

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

/// Concats of what other Concats, operators in place and views have made, all with many readers and
/// some of it outputs. A channel is `width` floats.
graph dense_model(std::uint64_t seed, std::int64_t batch, std::int64_t width) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  graph_builder b;
  std::vector<std::pair<value_id, std::int64_t>> known; // with their channels
  const auto add_value = [&](std::int64_t channels, std::string name) {
    graph_value value;
    value.name = std::move(name);
    value.type = dtype::f32;
    const auto id = b.add_value(value);
    known.emplace_back(id, channels);
    return id;
  };
  b.inputs = {add_value(1, "x")};
  b.values[0].dims = {{batch, ""}, {1, ""}, {width, ""}};
  for (int n = 0; n < 14; ++n) {
    static constexpr const char* kinds[] = {"Concat", "Concat", "Relu", "Neg", "Add", "Identity"};
    graph_node node;
    node.name = fmt::format("node{}", n);
    node.opset = 17;
    node.definition = *find_operator(kinds[below(std::size(kinds))], "", 17, node.name);
    const auto name = node.definition->name;
    const auto [first, channels] =
        known[known.size() - 1 - below(std::min<std::size_t>(known.size(), 4))];
    auto made = channels;
    node.inputs = {first};
    if (name == "Concat") {
      node.attrs.set("axis", std::int64_t{1});
      for (auto more = below(3); more > 0; --more) {
        const auto [id, extra] = known[below(known.size())];
        if (made + extra > 64) break;
        node.inputs.push_back(id);
        made += extra;
      }
    } else if (name == "Add") {
      node.inputs.push_back(known.front().first); // of one channel: broadcast
    }
    node.outputs = {add_value(made, fmt::format("v{}", n))};
    b.nodes.push_back(std::move(node));
  }
  for (const auto& [id, channels] : known)
    if (id == known.back().first || (id != 0 && below(5) == 0)) b.outputs.push_back(id);
  auto model = std::move(b).build();
  REQUIRE_MESSAGE(model, (model ? std::string() : model.error().message()));
  return *std::move(model);
}

/// Slots that are parts of others, in a session of the model's own shapes.
std::ptrdiff_t joined_slots(std::shared_ptr<const graph> model, const tensor_type& input) {
  const operand in{input, nullptr, true};
  const auto bound = bind_types(std::move(model), {&in, 1});
  REQUIRE(bound);
  weight_cache weights;
  const auto plan = plan_session(**bound, {}, weights, {});
  REQUIRE(plan);
  return std::ranges::count_if(plan->slots, [](const auto& s) { return s.within != no_slot; });
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

TEST_CASE("values that stay in the layout they were computed in have the bytes of plain ones") {
  std::size_t kept = 0, plain = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const auto model = std::make_shared<const graph>(make_random_model(seed));
    const auto inputs = make_inputs(*model, seed);
    session_options at_once;
    at_once.keep_layouts = false;
    session_cache sessions(model, {}), plain_sessions(model, at_once);
    workspace arena;
    const auto got = sessions.run(inputs, arena), expected = plain_sessions.run(inputs, arena);
    REQUIRE(got);
    REQUIRE(expected);
    for (std::size_t o = 0; o < expected->size(); ++o) {
      CAPTURE(o);
      CHECK(identical((*got)[o], (*expected)[o]));
    }
    kept += (*sessions.get(inputs))->profile().size();
    plain += (*plain_sessions.get(inputs))->profile().size();
  }
  CHECK(plain > kept); // more reorders
}

TEST_CASE("what is written into the place where it is joined to has the bytes of a copy") {
  struct form {
    std::int64_t batch, width;
    bool joins; ///< entries of a batch do not lie together, odd channels are not aligned
  };
  for (const auto& [batch, width, joins] : {form{1, 16, true}, {1, 3, true}, {2, 16, false}}) {
    std::ptrdiff_t joined = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      CAPTURE(batch);
      CAPTURE(seed);
      const auto model = std::make_shared<const graph>(dense_model(seed, batch, width));
      session_options whole, apart;
      whole.entries_apart = apart.entries_apart = apart.share_memory = false;
      session_cache sessions(model, whole), unshared(model, apart);
      workspace arena;
      for (const std::uint64_t run : {1, 2}) {
        const auto inputs = make_inputs(*model, run);
        const auto expected = run_naively(*model, inputs);
        for (auto* one : {&sessions, &unshared}) {
          const auto got = one->run(inputs, arena);
          REQUIRE(got);
          for (std::size_t o = 0; o < expected.size(); ++o) {
            CAPTURE(o);
            CHECK(identical((*got)[o], expected[o]));
          }
        }
      }
      joined += joined_slots(model, {dtype::f32, {batch, 1, width}});
    }
    CHECK((joined > 0) == joins);
  }
}
