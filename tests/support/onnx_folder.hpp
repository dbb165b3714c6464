#pragma once

#include "runtime/graph/graph.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace shoal::test {

/// Inputs of a model and the outputs that they must give.
struct stored_run {
  std::string name;
  std::vector<tensor> inputs;
  std::vector<tensor> outputs;
};

/// A folder in the layout of ONNX's own tests: model.onnx, test_data_set_N/{input,output}_I.pb.
struct onnx_folder {
  std::shared_ptr<const graph> model; ///< as imported
  std::vector<stored_run> runs;
};

/// One of ../shared/models; without a model when it is not there. Throws if it cannot be read.
onnx_folder read_shared_model(const std::string& name);

/// The names of those that there are.
inline constexpr const char* shared_models[] = {"basic_pitch",     "cifar10",         "espcn_x3",
                                                "esrgan_slim_x2",  "magika",          "squeezenet",
                                                "squeezenet_fp16", "ultraface_rfb320"};

} // namespace shoal::test
