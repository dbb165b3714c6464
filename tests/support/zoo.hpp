#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Well-known networks with seeded random weights of sane scale: their shapes and costs are real,
/// their answers mean nothing. Built from operators, so no file is needed.
namespace shoal::test {

/// ResNet of bottleneck blocks, version 1.5 (stride in the 3×3 convolution; He et al. 2015). Input
/// "image" [N,3,size,size], output "logits" [N,classes]. BatchNormalization nodes are kept, opset
/// 13. The defaults are ResNet-50 of ImageNet.
struct resnet_options {
  std::int64_t size = 224;
  std::int64_t width = 64; ///< channels of the first stage inside its bottlenecks
  std::vector<int> blocks{3, 4, 6, 3};
  std::int64_t classes = 1000;
  std::uint64_t seed = 50;
};
graph make_resnet(const resnet_options& options = {});

/// MobileNetV2 (Sandler et al. 2018), width 1.0, opset 13. Input "image" [N,3,size,size], output
/// "logits" [N,classes].
struct mobilenet_options {
  std::int64_t size = 224;
  std::int64_t classes = 1000;
  std::uint64_t seed = 2;
};
graph make_mobilenet(const mobilenet_options& options = {});

/// SqueezeNet 1.1 (Iandola et al. 2016), opset 13. Input "image" [N,3,size,size], output
/// "probabilities" [N,classes].
struct squeezenet_options {
  std::int64_t size = 224;
  std::int64_t classes = 1000;
  std::uint64_t seed = 11;
};
graph make_squeezenet(const squeezenet_options& options = {});

/// A residual dense network that doubles an image, of the shapes of the shared model
/// esrgan_slim_x2, opset 13. Input "image" [N,3,size,size], output "larger_image".
struct esrgan_options {
  std::int64_t size = 256;
  std::uint64_t seed = 4;
};
graph make_esrgan(const esrgan_options& options = {});

/// The encoder of BERT (Devlin et al. 2018), as exporters write it: inputs "input_ids",
/// "attention_mask" and "token_type_ids", int64 [N,sequence]; outputs "last_hidden_state"
/// [N,sequence,hidden] and "pooler_output" [N,hidden]. The defaults are BERT-base.
struct bert_options {
  int layers = 12;
  std::int64_t hidden = 768;
  std::int64_t heads = 12;
  std::int64_t sequence = 128; ///< -1: open, the position table then cut by shape arithmetic
  std::int64_t vocabulary = 30522;
  std::int64_t positions = 512;
  int opset = 13; ///< from 17 on with LayerNormalization, before that from primitives
  std::uint64_t seed = 12;
};
graph make_bert(const bert_options& options = {});

/// A random DAG of small convolutions, element-wise operators, poolings, concatenations, views,
/// reductions and matrix products: one or two inputs [N,C,H,W] of fixed extents, one to three
/// outputs. Activations stay finite.
graph make_random_model(std::uint64_t seed);

/// Inputs for a model of the zoo, its open extents 1 or as `extents` says by symbol: float32 from
/// [-0.9, 0.9), uniform; token ids below 100, alternating token types, and masks of 0 and 1 that
/// begin with 1.
std::vector<tensor> make_inputs(const graph& model, std::uint64_t seed,
                                const std::map<std::string, std::int64_t>& extents = {});

/// A model by name, "resnet50", "mobilenet_v2", "squeezenet", "esrgan_slim", "bert_base" or
/// "random", with options "key=value". Keys are the members above. `invalid_argument` says what
/// there is.
result<graph> make_model(std::string_view name, const std::vector<std::string>& options);

} // namespace shoal::test
