#include "tests/support/examples/examples.hpp"

// Sequences and signals; and what makes tensors out of little: constants, ranges, random numbers.

namespace shoal::test::examples {
namespace {

node_input scalar(std::int64_t value) {
  return {tensor::of<std::int64_t>({}, {value}), true};
}

void add_recurrent(list& all) {
  const std::pair<const char*, std::int64_t> cells[] = {{"RNN", 1}, {"GRU", 3}, {"LSTM", 4}};
  for (const auto& [name, gates] : cells)
    for (const std::int64_t batch_first : {0, 1}) {
      const auto x = batch_first != 0 ? shape{2, 3, 4} : shape{3, 2, 4};
      const auto state = batch_first != 0 ? shape{2, 1, 5} : shape{1, 2, 5};
      const std::size_t outputs = name == std::string_view("LSTM") ? 3 : 2;
      const auto attrs = attrs_of({{"hidden_size", 5}, {"layout", batch_first}});
      const std::vector<node_input> weights{f(x), fixed(f({1, gates * 5, 4})),
                                            fixed(f({1, gates * 5, 5})),
                                            fixed(f({1, 2 * gates * 5}))};
      all.push_back({.op = name, .inputs = weights, .attrs = attrs});
      all.push_back({.op = name, .inputs = weights, .attrs = attrs, .outputs = outputs});
      auto all_inputs = weights;
      all_inputs.push_back({tensor::of<std::int32_t>({2}, {3, 2})});
      all_inputs.push_back(f(state));
      all.push_back({.op = name, .inputs = all_inputs, .attrs = attrs, .outputs = outputs});
    }
}

void add_signals(list& all) {
  all.push_back({.op = "DFT", .inputs = {f({2, 6, 3, 1})}, .attrs = attrs_of({{"onesided", 1}})});
  all.push_back({.op = "DFT", .inputs = {f({2, 5, 2}), scalar(7)}});
  all.push_back({.op = "DFT",
                 .inputs = {f({2, 3, 5, 2}), none(), scalar(1)},
                 .attrs = attrs_of({{"inverse", 1}}),
                 .opset = 20});
  all.push_back({.op = "STFT", .inputs = {f({2, 20, 1}), scalar(3), fixed(f({6})), scalar(6)}});
  all.push_back({.op = "STFT",
                 .inputs = {f({1, 15, 1}), scalar(4), none(), scalar(5)},
                 .attrs = attrs_of({{"onesided", 0}})});
  for (const char* name : {"HannWindow", "HammingWindow", "BlackmanWindow"})
    all.push_back({.op = name, .inputs = {scalar(9)}});
  all.push_back({.op = "MelWeightMatrix",
                 .inputs = {scalar(4), scalar(16), scalar(8192), number(0), number(4096)}});
}

void add_made(list& all) {
  all.push_back({.op = "Shape", .inputs = {f({2, 3, 4})}});
  all.push_back({.op = "Size", .inputs = {f({2, 3, 4})}});
  all.push_back({.op = "ConstantOfShape", .inputs = {listed({2, 3})}});
  all.push_back({.op = "Range", .inputs = {scalar(2), scalar(11), scalar(3)}});
  all.push_back({.op = "EyeLike", .inputs = {f({3, 5})}, .attrs = attrs_of({{"k", 1}})});
  for (const char* name : {"RandomNormal", "RandomUniform"})
    all.push_back(
        {.op = name, .inputs = {}, .attrs = attrs_of({{"shape", ints({3, 5})}, {"seed", 3.0f}})});
  for (const char* name : {"RandomNormalLike", "RandomUniformLike"})
    all.push_back({.op = name, .inputs = {f({3, 5})}, .attrs = attrs_of({{"seed", 3.0f}})});
  all.push_back(
      {.op = "Bernoulli", .inputs = {f({3, 5}, 0.2, 0.8)}, .attrs = attrs_of({{"seed", 3.0f}})});
  all.push_back({.op = "Multinomial",
                 .inputs = {f({3, 4})},
                 .attrs = attrs_of({{"seed", 3.0f}, {"sample_size", 5}})});
}

} // namespace

void add_sequences(list& all) {
  add_recurrent(all);
  add_signals(all);
  add_made(all);
}

} // namespace shoal::test::examples
