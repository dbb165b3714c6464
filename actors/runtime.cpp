#include "actors/child_process.hpp"
#include "actors/client.hpp"
#include "actors/client_door.hpp"
#include "actors/connect.hpp"
#include "actors/head.hpp"
#include "actors/named_inputs.hpp"
#include "actors/node.hpp"
#include "actors/process.hpp"
#include "actors/shoal.hpp"
#include "actors/value_specs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/net/local_address.hpp"

#include <csignal>
#include <thread>

namespace shoal {
namespace {

constexpr const char* loopback = "127.0.0.1";

std::vector<model_value> to_public(const std::vector<value_spec>& specs) {
  std::vector<model_value> values;
  for (const auto& s : specs)
    values.push_back(
        {s.name, s.type < dtype_count ? static_cast<dtype>(s.type) : dtype::f32, s.dims});
  return values;
}

} // namespace

struct model::state {
  std::shared_ptr<client_door> via;
  std::string name;
  std::vector<model_value> inputs, outputs;
  bool batch_splits = false;
  std::string plan_table, plan_picture;
  std::vector<double> expected_stage_seconds;
};

const std::string& model::name() const {
  return state_->name;
}
const std::vector<model_value>& model::inputs() const {
  return state_->inputs;
}
const std::vector<model_value>& model::outputs() const {
  return state_->outputs;
}
bool model::batch_splits() const {
  return state_->batch_splits;
}
const std::string& model::plan_table() const {
  return state_->plan_table;
}
const std::string& model::plan_picture() const {
  return state_->plan_picture;
}
const std::vector<double>& model::expected_stage_seconds() const {
  return state_->expected_stage_seconds;
}

result<std::vector<tensor>>
model::arrange(const std::vector<std::pair<std::string, tensor>>& named) const {
  return arrange_inputs(fmt::format("model '{}'", state_->name), state_->inputs, named);
}

std::uint64_t model::infer(std::vector<tensor> inputs,
                           std::function<void(result<inference>)> answer,
                           const infer_options& options) const {
  if (options.parts > 1 && !state_->batch_splits) {
    if (answer)
      answer(fail(errc::invalid_argument,
                  "model '{}' mixes the entries of a batch: it cannot be cut into {} parts",
                  state_->name, options.parts));
    return 0;
  }
  std::uint64_t request = 0;
  if (!state_->via->enter([&](client& via) {
        request = via.infer(state_->name, std::move(inputs), std::move(answer), options);
      }) &&
      answer)
    answer(fail(errc::cancelled, "the runtime of model '{}' has ended", state_->name));
  return request;
}

std::future<result<inference>> model::infer(std::vector<tensor> inputs,
                                            const infer_options& options) const {
  auto promise = std::make_shared<std::promise<result<inference>>>();
  auto future = promise->get_future();
  infer(
      std::move(inputs),
      [promise](result<inference> outcome) { promise->set_value(std::move(outcome)); }, options);
  return future;
}

void model::cancel(std::uint64_t request) const {
  state_->via->enter([&](client& via) { via.cancel(request); });
}

/// Members in the order in which they depend on each other: the last goes first.
class runtime::implementation {
 public:
  implementation(int compute, bool network) : config(compute, network), system(config) {}

  ~implementation() {
    if (way_in) way_in->close();
    for (const auto& child : children) child->signal(SIGTERM); // all at once: each takes a second
    children.clear();
    requests.reset();
    worker.reset();
    chief.reset();
    // The link must be silent before the actors that it delivers to go.
    home.reset();
  }

  void open_client(cluster_doors doors) {
    requests = std::make_unique<client>(system, *home, std::move(doors));
    way_in = std::make_shared<client_door>(*requests);
  }

  system_config config;
  caf::actor_system system;
  std::unique_ptr<process> home;
  std::unique_ptr<head> chief;
  std::unique_ptr<node> worker;
  std::unique_ptr<client> requests;
  std::shared_ptr<client_door> way_in;
  std::vector<std::unique_ptr<child_process>> children;
};

runtime::runtime(std::unique_ptr<implementation> i) : implementation_(std::move(i)) {}
runtime::~runtime() = default;

result<std::unique_ptr<runtime>> runtime::embedded(const embedded_options& options) {
  node_options devices;
  devices.name = "embedded";
  devices.executors = options.executors;
  devices.threads_per_executor = options.threads_per_executor;
  auto i = std::make_unique<implementation>(compute_threads(devices), false);
  process_options here;
  here.network = false;
  SHOAL_TRY(i->home, process::start(i->system, here));
  head_options chief;
  chief.pack = false;
  SHOAL_TRY(i->chief, head::start(i->system, *i->home, chief));
  SHOAL_TRY(i->worker,
            node::start(i->system, *i->home, i->chief->doors().membership, std::move(devices)));
  i->open_client(i->chief->doors());
  std::unique_ptr<runtime> r(new runtime(std::move(i)));
  SHOAL_CHECK(r->wait_for_nodes(1, std::chrono::seconds(10)));
  return r;
}

result<std::unique_ptr<runtime>> runtime::local(const local_options& options) {
  if (options.nodes < 1)
    return fail(errc::invalid_argument, "at least one local node is needed, {} were asked for",
                options.nodes);
  auto i = std::make_unique<implementation>(options.nodes * options.threads_per_node, true);
  process_options here;
  here.link.listen_host = loopback;
  SHOAL_TRY(i->home, process::start(i->system, here));
  SHOAL_TRY(i->chief, head::start(i->system, *i->home, {}));
  SHOAL_TRY(const auto port, i->chief->publish(loopback, 0));
  const auto program = options.node_program.empty() ? own_executable() : options.node_program;
  for (int n = 0; n < options.nodes; ++n) {
    std::vector<std::string> words{"node",
                                   "--join",
                                   fmt::format("{}:{}", loopback, port),
                                   "--bind",
                                   loopback,
                                   "--threads",
                                   std::to_string(options.threads_per_node),
                                   "--log-level", // what fails, requests tell
                                   "error",
                                   "--name",
                                   fmt::format("local-{}", n)};
    if (!options.cache_folder.empty()) {
      words.push_back("--cache");
      words.push_back(options.cache_folder.string());
    }
    SHOAL_TRY(auto child, child_process::start(program, words));
    i->children.push_back(std::move(child));
  }
  i->open_client(i->chief->doors());
  std::unique_ptr<runtime> r(new runtime(std::move(i)));
  SHOAL_CHECK(r->wait_for_nodes(static_cast<std::size_t>(options.nodes), options.timeout));
  return r;
}

result<std::unique_ptr<runtime>> runtime::connect(const std::string& host, std::uint16_t port,
                                                  const connect_options& options) {
  auto i = std::make_unique<implementation>(0, true);
  SHOAL_TRY(const auto doors, enter_cluster(i->system, host, port, "client", options.timeout));
  process_options here;
  SHOAL_TRY(here.link.listen_host, local_address_towards(host, port));
  here.link.cluster_token = doors.link_token;
  here.link.codec = {options.half, options.compress};
  SHOAL_TRY(i->home, process::start(i->system, here));
  i->open_client(doors);
  return std::unique_ptr<runtime>(new runtime(std::move(i)));
}

result<void> runtime::wait_for_nodes(std::size_t count, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::size_t joined = 0;
  while (std::chrono::steady_clock::now() < deadline) {
    SHOAL_TRY(const auto now, status());
    joined = now.nodes.size();
    if (joined >= count) return {};
    for (auto& child : implementation_->children)
      if (!child->running())
        return fail(errc::unavailable, "a worker process ended (status {}) before it joined",
                    child->status());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail(errc::deadline_exceeded, "{} of {} nodes joined within {} ms", joined, count,
              timeout.count());
}

result<model> runtime::load(const std::filesystem::path& file, const load_options& options) {
  SHOAL_TRY(auto imported, import_onnx_file(file));
  auto named = options;
  if (named.name.empty()) named.name = file.stem().string();
  return load(std::move(imported.model), named);
}

result<model> runtime::load(std::shared_ptr<const graph> graph, const load_options& options) {
  auto& requests = *implementation_->requests;
  auto named = options;
  if (named.name.empty() && graph) named.name = graph->name();
  SHOAL_TRY(const auto card, requests.load(std::move(graph), named));
  auto s = std::make_shared<model::state>();
  s->via = implementation_->way_in;
  s->name = card.name;
  s->inputs = to_public(card.inputs);
  s->outputs = to_public(card.outputs);
  s->batch_splits = card.batch_splits;
  s->plan_table = card.plan_table;
  for (const auto us : card.expected_us)
    s->expected_stage_seconds.push_back(static_cast<double>(us) * 1e-6);
  SHOAL_TRY(s->plan_picture, requests.fetch_text(card.plan_picture, card.plan_picture_bytes));
  return model(std::move(s));
}

const std::shared_ptr<client_door>& runtime::door() const {
  return implementation_->way_in;
}

result<cluster_summary> runtime::status(std::chrono::milliseconds timeout) {
  return implementation_->requests->status(timeout);
}

std::pair<std::uint64_t, std::uint64_t> runtime::network_bytes() const {
  const auto total = implementation_->home->office()->traffic();
  return {total.bytes_sent, total.bytes_received};
}

} // namespace shoal
