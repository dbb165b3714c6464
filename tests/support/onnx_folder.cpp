#include "tests/support/onnx_folder.hpp"

#include "runtime/graph/onnx_import.hpp"
#include "runtime/tensor/tensor_proto.hpp"
#include "tests/support/paths.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace shoal::test {
namespace {

template <class T>
T expect(result<T> got, const std::filesystem::path& path) {
  if (!got) throw std::runtime_error(fmt::format("{}: {}", path.string(), got.error().message()));
  return *std::move(got);
}

/// prefix_0.pb, prefix_1.pb, … up to the first that is not there.
std::vector<tensor> read_tensors(const std::filesystem::path& folder, std::string_view prefix) {
  std::vector<tensor> tensors;
  for (int i = 0;; ++i) {
    const auto path = folder / fmt::format("{}_{}.pb", prefix, i);
    if (!std::filesystem::exists(path)) return tensors;
    tensors.push_back(expect(read_tensor_proto_file(path), path));
  }
}

} // namespace

onnx_folder read_shared_model(const std::string& name) {
  onnx_folder found;
  const auto folder = shared_file("models/" + name);
  if (!folder) return found;
  found.model = expect(import_onnx_file(*folder / "model.onnx"), *folder).model;
  for (int i = 0;; ++i) {
    const auto set = *folder / fmt::format("test_data_set_{}", i);
    if (!std::filesystem::exists(set)) return found;
    found.runs.push_back({fmt::format("{}/test_data_set_{}", name, i), read_tensors(set, "input"),
                          read_tensors(set, "output")});
  }
}

} // namespace shoal::test
