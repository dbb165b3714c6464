#include "runtime/session/batch_session.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

// Batches whose entries run apart, against the same batches in one piece.

using namespace shoal;
using namespace shoal::test;

namespace {

using model_ptr = std::shared_ptr<const graph>;
using ints = std::vector<std::int64_t>;

model_ptr rewritten(graph model) {
  auto after = rewrite_for_cpu(std::make_shared<const graph>(std::move(model)));
  REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
  return *std::move(after);
}

std::vector<operand> types_of(const std::vector<tensor>& inputs) {
  std::vector<operand> types;
  for (const auto& input : inputs) types.push_back({input.type(), nullptr, true});
  return types;
}

std::unique_ptr<session> compiled(const model_ptr& model, const std::vector<tensor>& inputs,
                                  const session_options& options,
                                  output_layouts leaving = output_layouts::plain) {
  auto made = session::compile(model, types_of(inputs), std::make_shared<weight_cache>(), options,
                               {{}, leaving});
  REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
  return *std::move(made);
}

std::vector<tensor> run(session& s, const std::vector<tensor>& inputs) {
  workspace arena;
  auto outputs = s.run(inputs, arena);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
  return *std::move(outputs);
}

batch_parts parts_of(const model_ptr& model, const std::vector<tensor>& inputs, int threads) {
  const auto bound = bind_types(model, types_of(inputs));
  REQUIRE_MESSAGE(bound, (bound ? std::string() : bound.error().message()));
  return parts_of_batch(**bound, threads);
}

void check_identical(const std::vector<tensor>& got, const std::vector<tensor>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t o = 0; o < got.size(); ++o) {
    CAPTURE(o);
    CHECK(identical(got[o], expected[o]));
  }
}

void check_batches(const model_ptr& model) {
  for (const int threads : {1, 2, 3})
    for (const std::int64_t batch : {2, 3}) {
      CAPTURE(threads);
      CAPTURE(batch);
      const auto inputs = make_inputs(*model, 1, {{"N", batch}});
      REQUIRE(parts_of(model, inputs, threads).entries == batch);
      for (const auto leaving :
           {output_layouts::plain, output_layouts::unpadded, output_layouts::any}) {
        CAPTURE(static_cast<int>(leaving));
        const auto apart = compiled(model, inputs, {.threads = threads}, leaving);
        const auto whole =
            compiled(model, inputs, {.threads = threads, .entries_apart = false}, leaving);
        const auto expected = run(*whole, inputs);
        check_identical(run(*apart, inputs), expected);
        check_identical(run(*apart, inputs), expected); // and again, in the memory of the first
        CHECK(std::ranges::equal(apart->output_types(), whole->output_types()));
      }
    }
}

/// x [N,...] through one matrix product with weights [length,columns].
model_ptr product(std::vector<model_builder::extent> dims, std::int64_t length,
                  std::int64_t columns) {
  model_builder m("product", 13, 1);
  m.output(m.node("MatMul",
                  {m.input("x", dtype::f32, std::move(dims)), m.random({length, columns}, 0.1f)}),
           "y");
  return std::make_shared<const graph>(std::move(m).build());
}

} // namespace

TEST_CASE("entries apart give the bits of the whole batch: ResNet") {
  check_batches(
      rewritten(make_resnet({.size = 160, .width = 16, .blocks = {1, 2, 1, 1}, .classes = 10})));
}

TEST_CASE("entries apart give the bits of the whole batch: MobileNetV2") {
  check_batches(rewritten(make_mobilenet({.size = 128})));
}

TEST_CASE("entries apart give the bits of the whole batch: SqueezeNet") {
  check_batches(rewritten(make_squeezenet({.size = 128})));
}

TEST_CASE("entries apart give the bits of the whole batch: ESRGAN-slim") {
  check_batches(rewritten(make_esrgan({.size = 24})));
}

TEST_CASE("entries apart give the bits of the whole batch: BERT") {
  bert_options options{.layers = 2, .hidden = 192, .heads = 3, .sequence = 64, .vocabulary = 110};
  check_batches(rewritten(make_bert(options)));
}

TEST_CASE("entries apart give the bits of the whole batch: single convolutions") {
  random_numbers random(7);
  int compared = 0;
  for (int i = 0; i < 60; ++i) {
    const auto groups = random.chance(3) ? 2 + 2 * random.below(8) : 1;
    const auto in = groups * (1 + random.below(groups > 1 ? 4 : 90));
    const auto out = groups * (1 + random.below(groups > 1 ? 4 : 90));
    const auto side = 3 + random.below(20), kernel = 1 + random.below(3);
    const auto stride = 1 + random.below(2), pad = random.below(2);
    INFO(fmt::format("{} of {} to {} channels in {} groups, {} by {}, stride {}, pad {}, side {}",
                     i, in, out, groups, kernel, kernel, stride, pad, side));
    model_builder m("convolution", 13, static_cast<std::uint64_t>(i));
    const auto x = m.input("x", dtype::f32, {"N", in, side, side});
    m.output(m.node("Conv", {x, m.random({out, in / groups, kernel, kernel}, 0.1f)},
                    attrs_of({{"group", groups},
                              {"strides", ints{stride, stride}},
                              {"pads", ints{pad, pad, pad, pad}}})),
             "y");
    const auto model = std::make_shared<const graph>(std::move(m).build());
    const auto batch = 2 + random.below(6);
    CAPTURE(batch);
    const auto inputs = make_inputs(*model, 1, {{"N", batch}});
    const auto bound = bind_types(model, types_of(inputs));
    REQUIRE(bound);
    for (const int threads : {1, 2}) {
      CAPTURE(threads);
      const session_options options{.threads = threads, .entries_apart = false};
      const auto whole = compiled(model, inputs, options);
      const auto apart = compile_batch_session(**bound, {batch, threads, 1},
                                               std::make_shared<weight_cache>(), options, {});
      REQUIRE(apart);
      CHECK((*apart == nullptr) == whole->varies_with_batch());
      if (*apart == nullptr) continue;
      ++compared;
      check_identical(run(**apart, inputs), run(*whole, inputs));
    }
  }
  CHECK(compared > 60); // others are oneDNN's GEMM
}

TEST_CASE("a batch stays whole where taking it apart cannot pay") {
  const auto parts = [](const model_ptr& model, std::int64_t batch) {
    return parts_of(model, make_inputs(*model, 1, {{"N", batch}}), 2).entries;
  };
  CHECK(parts(product({"N", 64, 512}, 512, 512), 8) == 8);
  CHECK(parts(product({"N", 64, 512}, 512, 512), 1) == 1);
  CHECK(parts(product({"N", 64, 32}, 32, 32), 8) == 1);    // calls would cost more
  CHECK(parts(product({"N", 4096}, 4096, 4096), 8) == 1);  // reads 64 MiB for each entry
  CHECK(parts(product({8, "N", 512}, 512, 512), 64) == 8); // whatever the first axis is called
  model_builder m("mixing", 13, 1);
  const auto x = m.input("x", dtype::f32, {"N", 64, 512});
  const auto y = m.node("MatMul", {x, m.random({512, 512}, 0.1f)});
  m.output(m.node("Softmax", {y}, attrs_of({{"axis", std::int64_t{0}}})), "y");
  CHECK(parts(std::make_shared<const graph>(std::move(m).build()), 8) == 1);
}

TEST_CASE("a session whose entries run apart names what is wrong with an input") {
  const auto model = product({"N", 64, 512}, 512, 512);
  const auto inputs = make_inputs(*model, 1, {{"N", 4}});
  const auto apart = compiled(model, inputs, {.threads = 2});
  workspace arena;
  const auto few = apart->run({}, arena);
  REQUIRE_FALSE(few);
  CHECK(few.error().message().find("takes 1 inputs, got 0") != std::string::npos);
  const auto other = apart->run(make_inputs(*model, 1, {{"N", 3}}), arena);
  REQUIRE_FALSE(other);
  CHECK(other.error().message().find("float32[3,64,512]") != std::string::npos);
}
