#include "runtime/aggregate/combining_graph.hpp"
#include "tests/runtime/aggregate/member_values.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <stdexcept>
#include <thread>

using namespace shoal;
using namespace shoal::test;

namespace {

combination by_function(std::string name) {
  combination how;
  how.way = combine_way::function;
  how.function_name = std::move(name);
  return how;
}

/// The difference of the first two members, times the third.
std::shared_ptr<const graph> difference_graph() {
  model_builder b("difference", 17, 1);
  const auto x = b.input("x", dtype::f32, {"N"}), y = b.input("y", dtype::f32, {"N"}),
             z = b.input("z", dtype::f32, {"N"});
  b.output(b.node("Mul", {b.node("Sub", {x, y}), z}), "out");
  return std::make_shared<const graph>(std::move(b).build());
}

} // namespace

TEST_CASE("a registered function combines, with the members' names and weights") {
  REQUIRE(register_aggregator("heaviest", [](std::span<const member_output> members) {
    const auto* best = &members[0];
    for (const auto& m : members)
      if (m.weight > best->weight) best = &m;
    CHECK(best->member == "b");
    return result<tensor>(best->value);
  }));
  const auto a = tensor::of<float>({1}, {1}), b = tensor::of<float>({2}, {2, 3});
  CHECK(identical(combine(by_function("heaviest"), {a, b, a}, {1, 5, 2})->value, b));
  CHECK(register_aggregator("heaviest", [](auto) { return tensor(); }).error().message() ==
        "an aggregator 'heaviest' is registered already");
  CHECK(register_aggregator("", [](auto) { return tensor(); }).error().message() ==
        "an aggregator needs a name");
  CHECK(register_aggregator("nothing", {}).error().message() ==
        "aggregator 'nothing' has no function");
}

TEST_CASE("what goes wrong in a function is an error") {
  REQUIRE(register_aggregator("throws", [](std::span<const member_output>) -> result<tensor> {
    throw std::runtime_error("no idea");
  }));
  REQUIRE(register_aggregator("refuses", [](std::span<const member_output>) -> result<tensor> {
    return error(errc::unsupported, "not today");
  }));
  REQUIRE(register_aggregator("empty", [](std::span<const member_output>) { return tensor(); }));
  const auto a = tensor::of<float>({1}, {1});
  const auto message = [&](const char* name) {
    return to_string(combine(by_function(name), {a}).error());
  };
  CHECK(message("throws") == "internal error: aggregator 'throws': it threw: no idea");
  CHECK(message("refuses") == "unsupported: aggregator 'refuses': not today");
  CHECK(message("empty") == "internal error: aggregator 'empty': it made no row-major tensor");
  CHECK(message("unknown").find("not found: no aggregator 'unknown' is registered; there are '") ==
        0);
}

TEST_CASE("functions may be registered and found by several threads at once") {
  std::vector<std::thread> threads;
  std::vector<int> found(8, 0);
  for (std::size_t t = 0; t < found.size(); ++t)
    threads.emplace_back([t, &found] {
      for (int i = 0; i < 50; ++i) {
        const auto name = fmt::format("thread {} {}", t, i);
        const auto made = register_aggregator(name, [](auto) { return tensor(); });
        found[t] += made && find_aggregator(name) ? 1 : 0;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(found == std::vector<int>(8, 50));
}

TEST_CASE("an ONNX graph combines the members in their order") {
  combination how;
  how.way = combine_way::graph;
  how.custom = std::make_shared<combining_graph>(difference_graph());
  const auto a = tensor::of<float>({2}, {5, 7}), b = tensor::of<float>({2}, {1, 10}),
             c = tensor::of<float>({2}, {2, 0.5f});
  CHECK(identical(combine(how, {a, b, c})->value, tensor::of<float>({2}, {8, -1.5f})));
  const auto wrong = combine(how, {a, b, tensor::of<double>({2}, {1, 2})});
  REQUIRE(!wrong);
  CHECK(wrong.error().message().find("combining graph 'difference': ") == 0);
  CHECK(wrong.error().message().find("'z'") != std::string::npos);
  how.custom = nullptr;
  CHECK(make_combiner(how).error().message() == "a combination by graph has no graph");
}
