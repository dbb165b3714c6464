#include "runtime/session/session_cache.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

std::shared_ptr<const graph> shared(graph model) {
  return std::make_shared<const graph>(std::move(model));
}

/// y = Relu(Conv(x)), x [N,4,H,W].
std::shared_ptr<const graph> open_convolution() {
  model_builder m("open", 17, 3);
  const auto x = m.input("x", dtype::f32, {"N", 4, "H", "W"});
  const auto c = m.node("Conv", {x, m.random({32, 4, 3, 3}, 0.3f)});
  m.output(m.node("Relu", {c}), "y");
  return shared(std::move(m).build());
}

/// y = Reshape(data, to), and z = Gather(table, ids): a shape and token ids side by side.
std::shared_ptr<const graph> reshape_by_input() {
  model_builder m("reshape", 17, 3);
  const auto data = m.input("data", dtype::f32, {"N"});
  const auto to = m.input("to", dtype::i64, {"R"});
  const auto ids = m.input("ids", dtype::i64, {"S"});
  m.output(m.node("Reshape", {data, to}), "y");
  m.output(m.node("Gather", {m.random({10, 3}, 1), ids}), "z");
  return shared(std::move(m).build());
}

std::vector<tensor> run(session_cache& sessions, const std::vector<tensor>& inputs) {
  workspace arena;
  auto outputs = sessions.run(inputs, arena);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
  return *std::move(outputs);
}

tensor picture(std::int64_t height, std::uint64_t seed = 1) {
  return random_tensor({dtype::f32, {1, 4, height, 6}}, seed);
}

} // namespace

TEST_CASE("inputs of every shape the model accepts are served, and sizes come back right") {
  session_cache sessions(open_convolution(), {});
  for (const std::int64_t height : {5, 9, 3, 5, 64}) {
    const auto outputs = run(sessions, {picture(height)});
    CHECK(outputs[0].dims() == shape{1, 32, height - 2, 4});
  }
  CHECK(sessions.size() == 4);
}

TEST_CASE("the sessions kept are those used last, and never more than allowed") {
  session_cache sessions(open_convolution(), {}, 2);
  const std::vector<tensor> a{picture(5)}, b{picture(6)}, c{picture(7)};
  const auto* first = *sessions.get(a);
  REQUIRE(sessions.get(b));
  CHECK(*sessions.get(a) == first); // and used last now
  REQUIRE(sessions.get(c));         // b has to go
  CHECK(sessions.size() == 2);
  CHECK(*sessions.get(a) == first);
  REQUIRE(sessions.get(b));
  CHECK(sessions.size() == 2);
}

TEST_CASE("sessions of one cache share their packed weights") {
  session_cache sessions(open_convolution(), {});
  run(sessions, {picture(16)});
  const auto bytes = sessions.weights().bytes();
  CHECK(bytes > 0);
  for (const std::int64_t height : {17, 20, 31}) run(sessions, {picture(height)});
  CHECK(sessions.size() == 4);
  CHECK(sessions.weights().bytes() == bytes);
}

TEST_CASE("weights that a cache packed once stay packed once for all batches of ResNet") {
  const auto model = shared(make_resnet({.size = 32, .width = 8, .blocks = {1, 1, 1, 1}}));
  session_cache sessions(model, {});
  run(sessions, make_inputs(*model, 1, {{"N", 2}}));
  const auto bytes = sessions.weights().bytes();
  run(sessions, make_inputs(*model, 1, {{"N", 3}}));
  CHECK(sessions.weights().bytes() == bytes);
}

TEST_CASE("a cache prepared ahead does not compile again") {
  session_cache sessions(open_convolution(), {});
  const tensor_type type = picture(8).type();
  REQUIRE(sessions.prepare({&type, 1}));
  run(sessions, {picture(8)});
  CHECK(sessions.size() == 1);
}

TEST_CASE("shapes may depend on the values of an input, and follow them") {
  session_cache sessions(reshape_by_input(), {});
  const auto data = random_tensor({dtype::f32, {12}}, 5);
  const auto ids = tensor::of<std::int64_t>({2}, {1, 4});
  for (const shape& wanted : {shape{3, 4}, shape{12, 1}, shape{2, 2, 3}, shape{3, 4}}) {
    const auto to = tensor::of<std::int64_t>({wanted.rank()}, wanted.span());
    const auto outputs = run(sessions, {data, to, ids});
    CHECK(outputs[0].dims() == wanted);
    CHECK(identical(outputs[0].reshaped({12}), data));
  }
  CHECK(sessions.size() == 3);
}

TEST_CASE("only the values that shapes depend on ask for another session") {
  session_cache sessions(reshape_by_input(), {});
  const auto data = random_tensor({dtype::f32, {12}}, 5);
  const auto to = tensor::of<std::int64_t>({2}, {3, 4});
  tensor first;
  for (std::int64_t token = 0; token < 10; ++token) {
    const auto outputs = run(sessions, {data, to, tensor::of<std::int64_t>({1}, {token})});
    if (token == 0) first = outputs[1];
    CHECK(identical(outputs[1], first) == (token == 0));
  }
  CHECK(sessions.size() == 1);
}

TEST_CASE("preparing for types alone says what is missing when shapes depend on values") {
  session_cache sessions(reshape_by_input(), {});
  const std::vector<tensor_type> types{{dtype::f32, {12}}, {dtype::i64, {2}}, {dtype::i64, {1}}};
  const auto prepared = sessions.prepare(types);
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().code() == errc::needs_values);
}

TEST_CASE("an operator given wrong values fails that run alone") {
  session_cache sessions(reshape_by_input(), {});
  const auto data = random_tensor({dtype::f32, {12}}, 5);
  const auto to = tensor::of<std::int64_t>({2}, {3, 4});
  workspace arena;
  const std::vector<tensor> wrong{data, to, tensor::of<std::int64_t>({1}, {10})};
  const auto refused = sessions.run(wrong, arena);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::invalid_argument);
  run(sessions, {data, to, tensor::of<std::int64_t>({1}, {9})});
}
