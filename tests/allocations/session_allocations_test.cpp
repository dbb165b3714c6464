#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> largest_allocation{0};

void* counted_or_null(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  auto seen = largest_allocation.load(std::memory_order_relaxed);
  while (size > seen && !largest_allocation.compare_exchange_weak(seen, size)) {
  }
  return std::malloc(size == 0 ? 1 : size);
}

void* counted(std::size_t size) {
  if (void* memory = counted_or_null(size)) return memory;
  throw std::bad_alloc();
}

} // namespace

// For the whole executable, which is why this test has one of its own; they only count. All but the
// aligned forms: a sanitizer brings its own for what is missing, and these must fit each other.
void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted_or_null(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace shoal;
using namespace shoal::test;

namespace {

/// What one run of a warm session takes from the heap by `operator new`.
struct run_cost {
  std::size_t allocations = 0;
  std::size_t largest = 0;      ///< bytes of the largest of them
  std::size_t onednn_steps = 0; ///< kernels of oneDNN that ran
};

/// The most that any of ten runs takes, after three that warm up. Outputs are given back to the
/// pool after every run, as they are once a request is answered.
run_cost cost_of_a_run(graph model, int threads = 1) {
  auto rewritten = rewrite_for_cpu(std::make_shared<const graph>(std::move(model)));
  REQUIRE(rewritten);
  session_cache sessions(*rewritten, {.threads = threads});
  const auto inputs = make_inputs(**rewritten, 1);
  workspace arena;
  run_cost worst;
  for (int run = 0; run < 13; ++run) {
    const auto before = allocations.load();
    largest_allocation = 0;
    bool good = false;
    {
      const auto outputs = sessions.run(inputs, arena);
      good = outputs.has_value();
    }
    const auto taken = allocations.load() - before, largest = largest_allocation.load();
    REQUIRE(good);
    if (run < 3) continue;
    worst.allocations = std::max(worst.allocations, taken);
    worst.largest = std::max(worst.largest, largest);
  }
  for (const auto& step : (*sessions.get(inputs))->profile())
    if (step.kernel == "onednn" || step.kernel == "reorder") ++worst.onednn_steps;
  return worst;
}

/// The vector that holds the outputs.
constexpr std::size_t own_allocations = 1;
/// oneDNN makes a map of its arguments whenever it executes a primitive.
constexpr std::size_t per_primitive = 12;
constexpr std::size_t small = 1024;

void check_cost(const run_cost& cost) {
  CAPTURE(cost.onednn_steps);
  CHECK(cost.allocations <= own_allocations + per_primitive * cost.onednn_steps);
  CHECK(cost.largest <= small);
}

/// A chain and a tree of operators that oneDNN has no part in, views and overwritten inputs
/// included.
graph elementwise_model() {
  model_builder m("elementwise", 17, 1);
  const auto x = m.input("x", dtype::f32, {8, 64});
  auto y = x;
  for (int i = 0; i < 10; ++i) {
    y = m.node("Add", {m.node("Tanh", {y}), m.random({64}, 1)});
    y = m.node("Transpose", {m.node("Reshape", {y, m.ints({-1, 32, 2})})});
    y = m.node("Reshape", {m.node("Mul", {y, y}), m.ints({8, 64})});
  }
  m.output(m.node("ReduceMean", {y}, attrs_of({{"axes", std::vector<std::int64_t>{1}}})), "mean");
  m.output(y, "y");
  return std::move(m).build();
}

} // namespace

TEST_CASE("a warm session allocates nothing but the list of its outputs") {
  const auto cost = cost_of_a_run(elementwise_model());
  CHECK(cost.onednn_steps == 0);
  CHECK(cost.allocations == own_allocations);
}

TEST_CASE("a warm session of ResNet allocates what oneDNN does, which is small") {
  for (const int threads : {1, 2})
    check_cost(cost_of_a_run(make_resnet({.size = 64, .width = 16}), threads));
}

TEST_CASE("a warm session of MobileNetV2 allocates what oneDNN does, which is small") {
  check_cost(cost_of_a_run(make_mobilenet({.size = 64})));
}

TEST_CASE("a warm session of BERT allocates what oneDNN does, which is small") {
  for (const int opset : {13, 17}) {
    bert_options options{.layers = 2, .hidden = 64, .heads = 4, .sequence = 16, .vocabulary = 99};
    options.opset = opset;
    check_cost(cost_of_a_run(make_bert(options)));
  }
}
