// A C++ program that embeds Shoal: runs an ONNX model on a .npy file and writes the first output.
// Usage: embed_example MODEL.onnx INPUT.npy OUTPUT.npy

#include "actors/shoal.hpp"
#include "runtime/tensor/npy.hpp"

#include <cstdio>

namespace {

shoal::result<void> run(const char* model_file, const char* input_file, const char* output_file) {
  SHOAL_TRY(auto input, shoal::read_npy(input_file));

  // Everything in this process; `connect("head.local", 4100)` would use a cluster instead.
  SHOAL_TRY(auto runtime, shoal::runtime::embedded({.executors = 1, .threads_per_executor = 1}));
  SHOAL_TRY(auto model, runtime->load(model_file, {.stages = 2, .inputs = {input.type()}}));
  std::printf("%s\n", model.plan_table().c_str());

  // A future for one request, or a callback: both end exactly once, by their timeout at the latest.
  auto answer = model.infer({input}, {.timeout = std::chrono::seconds(30)});
  SHOAL_TRY(const auto inference, answer.get());
  for (const auto& stage : inference.parts.front())
    std::printf("a stage took %.2f ms\n", static_cast<double>(stage.compute_us) * 1e-3);
  return shoal::write_npy(output_file, inference.outputs.front());
}

} // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: %s MODEL.onnx INPUT.npy OUTPUT.npy\n", words[0]);
    return 2;
  }
  if (auto done = run(words[1], words[2], words[3]); !done) {
    std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
    return 1;
  }
  return 0;
}
