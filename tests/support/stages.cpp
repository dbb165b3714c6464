#include "tests/support/stages.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/graph/subgraph.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/store/package.hpp"
#include "tests/support/model_builder.hpp"

#include <set>

namespace shoal::test {
namespace {

result<std::shared_ptr<const graph>> through_package(const graph& stage) {
  memory_chunk_source chunks;
  SHOAL_TRY(const auto packed, pack_graph(stage, chunks));
  return unpack_graph({packed.blob->data(), packed.blob->size()}, chunks);
}

} // namespace

result<std::vector<tensor>> run_whole(std::shared_ptr<const graph> model,
                                      const std::vector<tensor>& inputs, int threads) {
  session_cache sessions(std::move(model), {.threads = threads});
  workspace arena;
  return sessions.run(inputs, arena);
}

result<std::vector<tensor>> run_in_stages(const graph& model, const std::vector<std::size_t>& cuts,
                                          const std::vector<tensor>& inputs, int threads,
                                          output_layouts crossing) {
  std::map<std::string, tensor> values;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    values[model.value(model.inputs()[i]).name] = inputs[i];
  std::vector<std::size_t> ends = cuts;
  ends.push_back(model.nodes().size());
  workspace arena;
  std::size_t first = 0;
  for (const auto last : ends) {
    SHOAL_TRY(const auto cut, extract_stage(model, first, last));
    SHOAL_TRY(const auto stage, through_package(cut));
    first = last;
    std::vector<tensor> in;
    for (const auto id : stage->inputs()) {
      const auto found = values.find(stage->value(id).name);
      if (found == values.end())
        return fail(errc::internal, "the stage before gives no '{}'", stage->value(id).name);
      in.push_back(found->second);
    }
    const bool is_last = last == model.nodes().size();
    session_cache sessions(stage, {.threads = threads});
    SHOAL_TRY(auto out, sessions.run(in, arena, is_last ? output_layouts::plain : crossing));
    values.clear();
    for (std::size_t o = 0; o < out.size(); ++o)
      values[stage->value(stage->outputs()[o]).name] = std::move(out[o]);
  }
  std::vector<tensor> outputs;
  for (const auto id : model.outputs()) outputs.push_back(values[model.value(id).name]);
  return outputs;
}

std::vector<std::size_t> even_cuts(std::size_t nodes, std::size_t stages) {
  std::vector<std::size_t> cuts;
  for (std::size_t s = 1; s < stages && s < nodes; ++s)
    cuts.push_back(nodes * s / std::min(stages, nodes));
  return cuts;
}

std::vector<std::size_t> all_cuts(std::size_t nodes) {
  return even_cuts(nodes, nodes);
}

std::vector<std::size_t> random_cuts(std::size_t nodes, std::size_t most, std::uint64_t seed) {
  random_numbers random(seed);
  std::set<std::size_t> cuts;
  const auto count = 1 + random.next() % most;
  for (std::size_t i = 0; i < count; ++i) cuts.insert(1 + random.next() % (nodes - 1));
  return {cuts.begin(), cuts.end()};
}

std::string difference(const result<std::vector<tensor>>& got,
                       const result<std::vector<tensor>>& expected) {
  if (!got) return got.error().message();
  if (!expected) return "nothing to compare with: " + expected.error().message();
  if (got->size() != expected->size())
    return fmt::format("{} outputs instead of {}", got->size(), expected->size());
  for (std::size_t o = 0; o < got->size(); ++o)
    if (!identical((*got)[o], (*expected)[o]))
      return fmt::format("output {} differs: {} and {}", o, to_string((*got)[o].type()),
                         to_string((*expected)[o].type()));
  return "";
}

} // namespace shoal::test
