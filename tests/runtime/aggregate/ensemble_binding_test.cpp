#include "runtime/aggregate/ensemble_binding.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

using graphs = std::vector<std::shared_ptr<const graph>>;

/// Takes floating-point inputs of these names, and has the first as output.
std::shared_ptr<const graph> taking(const std::vector<std::string>& inputs,
                                    const std::string& output, dtype type = dtype::f32) {
  model_builder b("m", 17, 1);
  std::vector<value_id> ids;
  for (const auto& name : inputs) ids.push_back(b.input(name, type, {"N", 3}));
  b.output(b.node("Neg", {ids[0]}), output, type);
  return std::make_shared<const graph>(std::move(b).build());
}

ensemble_description duo() {
  ensemble_description what;
  what.name = "duo";
  auto rules = std::make_shared<ensemble_rules>();
  rules->members = {{"a", 1}, {"b", 1}};
  rules->outputs.push_back({"y", {}, {}});
  what.rules = rules;
  what.sources.resize(2);
  return what;
}

} // namespace

TEST_CASE("inputs of one name are one input, whatever the members call it") {
  auto what = duo();
  what.sources[1].inputs = {{"x", "image"}};
  what.sources[1].outputs = {{"y", "scores"}};
  const graphs models{taking({"x", "mask"}, "y"), taking({"extra", "image"}, "scores")};
  const auto bound = bind_members(what, models);
  REQUIRE(bound);
  std::vector<std::string> names;
  for (const auto id : bound->interface->inputs())
    names.push_back(bound->interface->value(id).name);
  CHECK(names == std::vector<std::string>{"x", "mask", "extra"});
  CHECK(bound->inputs == std::vector<std::vector<std::size_t>>{{0, 1}, {2, 0}});
  CHECK(bound->outputs == std::vector<std::vector<std::size_t>>{{0}, {0}});
}

TEST_CASE("names that a member has not are refused in words that name it") {
  const auto message = [](const ensemble_description& what, const graphs& models) {
    const auto bound = bind_members(what, models);
    REQUIRE(!bound);
    return to_string(bound.error());
  };
  auto what = duo();
  CHECK(message(what, {taking({"x"}, "y"), taking({"x"}, "z")}) ==
        "not found: member 'b': the model has no output 'y'; its outputs are 'z'");
  CHECK(message(what, {taking({"x"}, "y"), taking({"x"}, "y", dtype::f16)}) ==
        "invalid argument: member 'b': it takes input 'x' as float16[N,3], another member as "
        "float32[N,3]");
  CHECK(message(what, {taking({"x"}, "y")}) ==
        "invalid argument: 1 models and 2 sources for 2 members");
  what.sources[0].inputs = {{"x", "picture"}};
  CHECK(message(what, {taking({"x"}, "y"), taking({"x"}, "y")}) ==
        "not found: member 'a': the model has no input 'picture'; its inputs are 'x'");
  what = duo();
  what.sources[0].outputs = {{"z", "y"}};
  CHECK(message(what, {taking({"x"}, "y"), taking({"x"}, "y")}) ==
        "invalid argument: member 'a': it names output 'z', which the ensemble has not");
}
