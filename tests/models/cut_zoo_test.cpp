#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "tests/models/cut.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

std::shared_ptr<const graph> rewritten(graph model) {
  auto after = rewrite_for_cpu(std::make_shared<const graph>(std::move(model)));
  REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
  return *std::move(after);
}

} // namespace

TEST_CASE("ResNet-50 in stages is ResNet-50") {
  const auto model = rewritten(make_resnet({.size = 64}));
  check_cuts(model, make_inputs(*model, 1), 1);
}

TEST_CASE("ResNet-50 by Winograd's algorithm in stages is itself") {
  const auto model = rewritten(make_resnet({.size = 64}));
  const auto winograd = with_winograd(*model, tunable_convolutions(*model));
  REQUIRE(winograd);
  check_cuts(*winograd, make_inputs(**winograd, 1), 1);
}

TEST_CASE("MobileNetV2 in stages is MobileNetV2") {
  const auto model = rewritten(make_mobilenet({.size = 96}));
  check_cuts(model, make_inputs(*model, 1, {{"N", 2}}), 2);
}

TEST_CASE("BERT in stages is BERT, whatever its opset, fixed or open in length") {
  for (const int opset : {13, 17})
    for (const std::int64_t sequence : {24, -1}) {
      CAPTURE(opset);
      CAPTURE(sequence);
      bert_options options{.layers = 2, .hidden = 96, .heads = 4, .sequence = sequence};
      options.vocabulary = 200;
      options.opset = opset;
      const auto model = rewritten(make_bert(options));
      check_cuts(model, make_inputs(*model, 1, {{"N", 2}, {"S", 17}}), 3);
    }
}

TEST_CASE("random models in stages are themselves, wherever they are cut") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const auto model = rewritten(make_random_model(seed));
    const auto nodes = model->nodes().size();
    const auto inputs = make_inputs(*model, seed);
    const int threads = 1 + static_cast<int>(seed % 2);
    const auto whole = run_whole(model, inputs, threads);
    REQUIRE_MESSAGE(whole, (whole ? std::string() : whole.error().message()));
    for (std::size_t cut = 1; cut < nodes; ++cut) {
      CAPTURE(cut);
      CHECK(difference(run_in_stages(*model, {cut}, inputs, threads), whole) == "");
    }
    for (const auto crossing :
         {output_layouts::plain, output_layouts::unpadded, output_layouts::any}) {
      CAPTURE(static_cast<int>(crossing));
      const auto got = run_in_stages(*model, all_cuts(nodes), inputs, threads, crossing);
      CHECK(difference(got, whole) == "");
    }
  }
}
