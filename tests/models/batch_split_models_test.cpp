#include "runtime/session/batch_split.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_folder.hpp"
#include "tests/support/stages.hpp"
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

bool splits(const std::shared_ptr<const graph>& model, const std::vector<tensor>& inputs) {
  std::vector<operand> operands;
  for (const auto& input : inputs) operands.push_back({input.type(), nullptr, true});
  const auto bound = bind_types(model, operands);
  REQUIRE_MESSAGE(bound, (bound ? std::string() : bound.error().message()));
  return batch_splits(**bound);
}

/// Parts of random batches, joined, against the whole.
void check_parts(const std::shared_ptr<const graph>& model,
                 std::map<std::string, std::int64_t> extents, std::uint64_t seed) {
  random_numbers random(seed);
  for (int i = 0; i < 4; ++i) {
    const auto batch = 2 + random.below(5), parts = 2 + random.below(batch - 1);
    CAPTURE(seed);
    CAPTURE(batch);
    CAPTURE(parts);
    extents["N"] = batch;
    const auto inputs = make_inputs(*model, seed, extents);
    REQUIRE(splits(model, inputs));
    const auto whole = run_whole(model, inputs);
    REQUIRE_MESSAGE(whole, (whole ? std::string() : whole.error().message()));
    const auto cut = split_batch(inputs, static_cast<std::size_t>(parts));
    REQUIRE(cut);
    std::vector<std::vector<tensor>> outputs;
    for (const auto& part : *cut) {
      auto got = run_whole(model, part);
      REQUIRE_MESSAGE(got, (got ? std::string() : got.error().message()));
      outputs.push_back(*std::move(got));
    }
    const auto joined = join_batch(std::move(outputs));
    REQUIRE(joined);
    for (std::size_t o = 0; o < whole->size(); ++o)
      CHECK(identical((*joined)[o], (*whole)[o]));
  }
}

/// Whether a model of one node of x [4,6] (and what `more` adds to its inputs) splits.
bool node_splits(std::string_view op, attributes attrs, const std::vector<tensor>& more = {}) {
  model_builder m("one", 13, 1);
  std::vector<value_id> inputs{m.input("x", dtype::f32, {4, 6})};
  for (const auto& content : more) inputs.push_back(m.constant(content));
  m.output(m.node(op, inputs, std::move(attrs)), "y");
  const auto model = std::make_shared<const graph>(std::move(m).build());
  return splits(model, make_inputs(*model, 1));
}

using ints = std::vector<std::int64_t>;

} // namespace

TEST_CASE("parts of a batch through ResNet give what the batch gives") {
  check_parts(rewritten(make_resnet({.size = 48, .width = 16, .blocks = {1, 2, 1, 1}})), {}, 1);
}

TEST_CASE("parts of a batch through MobileNetV2 give what the batch gives") {
  check_parts(rewritten(make_mobilenet({.size = 48})), {}, 2);
}

TEST_CASE("parts of a batch through BERT give what the batch gives") {
  bert_options options{.layers = 1, .hidden = 64, .heads = 4, .sequence = 12, .vocabulary = 99};
  check_parts(rewritten(make_bert(options)), {}, 3);
}

TEST_CASE("squeezenet may be split by pictures") {
  const auto stored = read_shared_model("squeezenet");
  if (stored.model == nullptr) {
    MESSAGE("skipped: shared/models/squeezenet is not there");
    return;
  }
  CHECK(splits(stored.model, stored.runs.at(0).inputs));
}

TEST_CASE("what mixes the entries of a batch does not split") {
  CHECK_FALSE(node_splits("Softmax", attrs_of({{"axis", std::int64_t{0}}})));
  CHECK(node_splits("Softmax", attrs_of({{"axis", std::int64_t{1}}})));
  CHECK_FALSE(node_splits("ReduceMean", attrs_of({{"axes", ints{0}}})));
  CHECK(node_splits("ReduceMean", attrs_of({{"axes", ints{1}}})));
  CHECK_FALSE(node_splits("Transpose", attrs_of({{"perm", ints{1, 0}}})));
  CHECK_FALSE(node_splits("Reshape", {}, {tensor::of<std::int64_t>({2}, {2, 12})}));
  CHECK_FALSE(node_splits("Reshape", {}, {tensor::of<std::int64_t>({2}, {4, 6})}));
  CHECK(node_splits("Reshape", {}, {tensor::of<std::int64_t>({2}, {0, 6})}));
  CHECK_FALSE(node_splits("Add", {}, {tensor::of<float>({4, 1}, {1, 2, 3, 4})}));
  CHECK(node_splits("Add", {}, {tensor::of<float>({1, 1}, {1})}));
}
