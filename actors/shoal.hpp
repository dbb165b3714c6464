#pragma once

// The embedding interface: all that a C++ program needs to run models with Shoal. Link the CMake
// target shoal::shoal. No other header of actors/ is needed, and none of CAF's.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/tensor/tensor.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal {

/// Everything in this process: no network, no other process.
struct embedded_options {
  int executors = 1;
  int threads_per_executor = 0; ///< 0: the cores, shared between the executors
};

/// This process and worker processes of its own on this machine.
struct local_options {
  int nodes = 2;
  int threads_per_node = 1;
  std::filesystem::path node_program =
      {}; ///< the `shoal` command; empty: this process's own executable
  std::filesystem::path cache_folder = {}; ///< of the workers; empty: the default
  std::chrono::milliseconds timeout = std::chrono::seconds(30); ///< until all have joined
};

/// A client of a running cluster.
struct connect_options {
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  bool compress = false; ///< tensors travel compressed (zstd)
  bool half = false;     ///< float32 tensors travel as float16: lossy
};

/// How far the loading of a model is.
struct load_progress {
  std::string step; ///< "fetching", "planning", "deploying", "ready"
  std::uint64_t done = 0;
  std::uint64_t total = 0; ///< 0: not known
};

struct load_options {
  std::string name = {};    ///< empty: the file's name without its ending
  std::uint32_t stages = 0; ///< exactly so many; 0: as many as is best
  bool plan_only = false;   ///< make the plan, deploy nothing
  /// Measure which algorithm is fastest for each convolution, up to a few seconds the first time a
  /// machine loads a model; what was chosen is kept in the cache folder. Off: bits that do not
  /// depend on measurements.
  bool tune = true;
  /// Only kernels that give the same bits for an element whatever the extents around it: what
  /// `infer_tiles` needs to be exact. Nothing is tuned then.
  bool steady = false;
  /// Where memory suffices, put the whole model on every device, and each request on one of them:
  /// for many requests at a time, as tiles are. Otherwise, or where it does not, the model is cut.
  bool replicate = false;
  /// The usual types of the inputs, in the model's order: what is planned and compiled for. Others
  /// work, too. Empty: open extents are guessed.
  std::vector<tensor_type> inputs = {};
  std::chrono::milliseconds timeout = std::chrono::minutes(10);
  std::function<void(const load_progress&)> on_progress = {}; ///< called in the thread that loads
};

struct infer_options {
  std::chrono::milliseconds timeout = std::chrono::seconds(60); ///< an hour at most
  int priority = 0;                                             ///< higher goes first
  std::uint32_t parts = 1; ///< cut the batch (axis 0) into so many parts
};

/// What one stage did to one part.
struct stage_timing {
  incarnation node;
  std::uint64_t queue_us = 0;
  std::uint64_t compute_us = 0;
  std::uint64_t transfer_us = 0; ///< 0 within a process; between machines as true as their clocks
  std::uint64_t bytes = 0;       ///< that came over the network
};

/// The answer to a request.
struct inference {
  std::vector<tensor> outputs;                  ///< in the model's order
  std::vector<std::vector<stage_timing>> parts; ///< per part of the request, per stage
  std::uint64_t attempts = 0;                   ///< parts sent, retries included
  std::uint64_t elapsed_us = 0;
};

/// A named input or output. -1 stands for an open extent.
struct model_value {
  std::string name;
  dtype type = dtype::f32;
  std::vector<std::int64_t> dims;
};

class client_door;
class ensemble;
class runtime;

/// A model that a runtime serves. A cheap handle; thread-safe. Once the runtime has ended, requests
/// are answered with `cancelled`.
class model {
 public:
  const std::string& name() const;
  const std::vector<model_value>& inputs() const;
  const std::vector<model_value>& outputs() const;
  /// Whether `infer_options::parts` may be more than 1.
  bool batch_splits() const;
  /// The plan it runs by: a table for a terminal, and an SVG picture.
  const std::string& plan_table() const;
  const std::string& plan_picture() const;
  /// What the plan expects each stage to take for inputs of the shapes it was made for, in seconds.
  const std::vector<double>& expected_stage_seconds() const;

  /// Inputs by name in the model's order; the error names what is missing, unknown or double.
  result<std::vector<tensor>>
  arrange(const std::vector<std::pair<std::string, tensor>>& named) const;

  /// Runs the model. The outcome comes exactly once, by the timeout at the latest.
  std::future<result<inference>> infer(std::vector<tensor> inputs,
                                       const infer_options& options = {}) const;
  /// The same; `answer` is called on one of the runtime's threads: be quick there. What it throws
  /// is lost. Returns a number to cancel by.
  std::uint64_t infer(std::vector<tensor> inputs, std::function<void(result<inference>)> answer,
                      const infer_options& options = {}) const;
  /// The request is answered with `cancelled`, unless it was answered before.
  void cancel(std::uint64_t request) const;

 private:
  friend class runtime;
  struct state;
  explicit model(std::shared_ptr<const state> s) : state_(std::move(s)) {}
  std::shared_ptr<const state> state_;
};

struct device_summary {
  std::string name;
  std::uint64_t flops_per_second = 0;
  std::uint64_t memory_bytes = 0;
  std::uint32_t threads = 0;
  std::uint64_t queued = 0;  ///< parts waiting or running
  std::uint64_t busy_us = 0; ///< compute time since the start
};

struct shard_summary {
  std::string model;
  std::uint64_t epoch = 0;
  std::uint32_t stage = 0;
  std::uint32_t device = 0;
  std::uint64_t parts_done = 0;
  std::uint64_t compute_us = 0;
};

struct node_summary {
  incarnation id;
  std::string name;
  std::string address;
  std::string state; ///< "alive", "suspect", "draining"
  std::vector<device_summary> devices;
  std::vector<shard_summary> shards;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t silent_ms = 0; ///< since its last heartbeat
};

struct model_summary {
  std::string name;
  std::string state;
  std::string detail;
  std::uint64_t epoch = 0;
};

/// A look at the whole cluster.
struct cluster_summary {
  std::vector<node_summary> nodes;
  std::vector<model_summary> models;
  std::uint64_t waiting = 0;   ///< parts in the queue
  std::uint64_t in_flight = 0; ///< parts on their way
  std::uint64_t finished = 0;  ///< parts, since the head started
  std::uint64_t failed = 0;
};

/// Where models run. Thread-safe. Its end answers what is still open with `cancelled`.
class runtime {
 public:
  static result<std::unique_ptr<runtime>> embedded(const embedded_options& options = {});
  static result<std::unique_ptr<runtime>> local(const local_options& options = {});
  static result<std::unique_ptr<runtime>> connect(const std::string& host, std::uint16_t port,
                                                  const connect_options& options = {});
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Reads, plans and deploys an ONNX model; returns when it can be used.
  result<model> load(const std::filesystem::path& file, const load_options& options = {});
  /// The same for a graph that was imported or built already.
  result<model> load(std::shared_ptr<const graph> graph, const load_options& options);

  result<cluster_summary> status(std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// Bytes that this process sent and received over the network for tensors.
  std::pair<std::uint64_t, std::uint64_t> network_bytes() const;

 private:
  friend class ensemble;
  class implementation;
  explicit runtime(std::unique_ptr<implementation> i);
  result<void> wait_for_nodes(std::size_t count, std::chrono::milliseconds timeout);
  const std::shared_ptr<client_door>& door() const;
  std::unique_ptr<implementation> implementation_;
};

} // namespace shoal
