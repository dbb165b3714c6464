#include "actors/client.hpp"

#include "actors/aggregator.hpp"
#include "actors/caf_error.hpp"
#include "actors/ensembler.hpp"
#include "actors/splitter.hpp"
#include "actors/value_specs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/store/package.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace shoal {
namespace {

constexpr std::string_view the_head = "the head";
constexpr auto progress_period = std::chrono::milliseconds(200);
/// What the scheduler accepts of a request; longer timeouts mean this one.
constexpr std::chrono::milliseconds longest_timeout = std::chrono::hours(1);
constexpr std::chrono::milliseconds longest_load = std::chrono::hours(24);

std::chrono::milliseconds accepted(std::chrono::milliseconds timeout) {
  return std::clamp(timeout, std::chrono::milliseconds(0), longest_timeout);
}

/// A caller's callback. Called once: at the latest when the last actor that could is gone.
template <class Answer>
class caller {
 public:
  explicit caller(std::function<void(result<Answer>)> answer) : answer_(std::move(answer)) {}
  ~caller() { call(fail(errc::cancelled, "the runtime ended before the request did")); }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  void call(result<Answer> outcome) {
    const auto answer = std::exchange(answer_, nullptr);
    if (!answer) return;
    try {
      answer(std::move(outcome));
    } catch (...) { // it must not end the actor that answers everybody
    }
  }

 private:
  std::function<void(result<Answer>)> answer_;
};

inference to_public(response&& answer) {
  inference out;
  out.outputs = std::move(answer.outputs);
  out.attempts = answer.attempts;
  out.elapsed_us = answer.elapsed_us;
  for (const auto& part : answer.trace) {
    auto& stages = out.parts.emplace_back();
    for (const auto& s : part)
      stages.push_back({s.node, s.queue_us, s.compute_us, s.transfer_us, s.bytes});
  }
  return out;
}

node_summary summarize(const node_status& status) {
  node_summary out;
  out.id = status.node.process.id;
  out.name = status.node.name;
  out.address = status.node.process.port == 0
                    ? "this process"
                    : fmt::format("{}:{}", status.node.process.host, status.node.process.port);
  out.state = status.state;
  const auto& load = status.load;
  for (std::size_t i = 0; i < status.node.devices.size(); ++i) {
    const auto& d = status.node.devices[i];
    out.devices.push_back({d.name, d.flops_per_second, d.memory_bytes, d.threads,
                           i < load.device_queue.size() ? load.device_queue[i] : 0,
                           i < load.device_busy_us.size() ? load.device_busy_us[i] : 0});
  }
  for (const auto& s : load.shards)
    out.shards.push_back({s.model, s.epoch, s.stage, s.device, s.parts_done, s.compute_us});
  out.bytes_sent = load.bytes_sent;
  out.bytes_received = load.bytes_received;
  out.silent_ms = status.heard_ms;
  return out;
}

/// Asks an actor and waits, for so long at most. `whose` it is, errors say.
template <class Answer, class Handle, class... Words>
result<Answer> ask(caf::actor_system& system, std::string_view whose, const Handle& whom,
                   std::chrono::milliseconds timeout, Words&&... words) {
  caf::scoped_actor self(system);
  std::optional<Answer> answer;
  std::optional<error> failure;
  self->request(whom, timeout, std::forward<Words>(words)...)
      .receive([&](Answer& given) { answer = std::move(given); },
               [&](const caf::error& e) {
                 failure = e == caf::sec::request_timeout
                               ? fail(errc::deadline_exceeded, "{} did not answer within {} ms",
                                      whose, timeout.count())
                               : from_caf(e, whose);
               });
  if (failure) return *std::move(failure);
  return *std::move(answer);
}

} // namespace

client::client(caf::actor_system& system, process& home, cluster_doors doors)
    : system_(system), home_(home), doors_(std::move(doors)),
      next_request_(home.self().id.low << 20) {
  aggregator_ = system_.spawn(aggregator, doors_.scheduler);
  results_ = home_.office()->open_mailbox(part_receiver_actor(aggregator_));
  splitter_ = system_.spawn(splitter, doors_.scheduler, aggregator_, results_, home_.office());
  ensembler_ = system_.spawn(ensembler, splitter_);
}

client::~client() {
  home_.office()->close_mailbox(results_.slot);
  caf::anon_send_exit(ensembler_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(splitter_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(aggregator_, caf::exit_reason::user_shutdown);
}

result<model_order> client::publish(const std::shared_ptr<const graph>& graph,
                                    const load_options& options) {
  model_order order;
  order.name = options.name;
  order.stages = options.stages;
  order.plan_only = options.plan_only;
  order.tune = options.tune;
  order.steady = options.steady;
  order.replicate = options.replicate;
  if (!options.inputs.empty())
    order.inputs = describe_values(*graph, graph->inputs(), options.inputs);
  if (doors_.head.id == home_.self().id) {
    // The head is in this process: it takes the graph itself, whatever that is named.
    order.package = sha256(bytes_of(fmt::format("{} {}", fmt::ptr(graph.get()), next_request_++)));
    home_.library()->add(order.package, graph);
    return order;
  }
  SHOAL_TRY(const auto packed, pack_graph(*graph, *home_.store().memory));
  order.package = packed.name;
  order.package_bytes = packed.blob_bytes();
  order.providers = {home_.self()};
  return order;
}

result<model_card> client::order(const model_order& order, const load_options& options) {
  auto card = std::async(std::launch::async, [&] {
    return ask<model_card>(system_, the_head, doors_.deployer,
                           std::min(options.timeout, longest_load), load_atom_v, order);
  });
  while (card.wait_for(progress_period) != std::future_status::ready) {
    if (!options.on_progress) continue;
    const auto models = ask<std::vector<model_status>>(system_, the_head, doors_.deployer,
                                                       std::chrono::seconds(1), status_atom_v);
    if (!models) continue;
    for (const auto& m : *models)
      if (m.name == order.name) options.on_progress({m.state, m.done, m.total});
  }
  return card.get();
}

result<model_card> client::load(std::shared_ptr<const graph> graph, const load_options& options) {
  if (!graph) return fail(errc::invalid_argument, "there is no graph to load");
  if (!options.inputs.empty()) SHOAL_CHECK(check_inputs(*graph, options.inputs));
  auto described = options;
  SHOAL_TRY(const auto wish, publish(graph, described)); // which stays until it is answered
  return order(wish, described);
}

result<std::string> client::fetch_text(const digest& name, std::uint64_t bytes) {
  auto what = std::make_shared<fetch_order>();
  what->chunks = {{name, bytes}};
  what->providers = {doors_.head.address()};
  SHOAL_CHECK(ask<std::uint64_t>(system_, "the store", home_.fetcher(), std::chrono::seconds(30),
                                 fetch_atom_v, fetch_order_ptr(std::move(what))));
  SHOAL_TRY(const auto content, home_.store().read(name));
  return std::string(text_of({content->data(), content->size()}));
}

std::uint64_t client::infer(const std::string& model, std::vector<tensor> inputs,
                            std::function<void(result<inference>)> answer,
                            const infer_options& options) {
  auto what = std::make_shared<request>();
  what->id = next_request_++;
  what->model = model;
  what->inputs = std::move(inputs);
  what->parts = std::max<std::uint32_t>(1, options.parts);
  what->priority = options.priority;
  what->started = std::chrono::steady_clock::now();
  what->deadline = what->started + accepted(options.timeout);
  what->answer =
      [to = std::make_shared<caller<inference>>(std::move(answer))](result<response> outcome) {
        if (outcome)
          to->call(to_public(*std::move(outcome)));
        else
          to->call(std::move(outcome).error());
      };
  const auto id = what->id;
  caf::anon_send(splitter_, infer_atom_v, std::move(what));
  return id;
}

void client::cancel(std::uint64_t request) {
  caf::anon_send(splitter_, cancel_atom_v, request);
}

std::uint64_t client::infer_ensemble(std::shared_ptr<ensemble_request> what,
                                     std::function<void(result<ensemble_response>)> answer,
                                     const infer_options& options) {
  what->id = next_request_.fetch_add(1 + what->members.size());
  what->parts = std::max<std::uint32_t>(1, options.parts);
  what->priority = options.priority;
  what->started = std::chrono::steady_clock::now();
  what->deadline = what->started + accepted(options.timeout);
  what->answer = [to = std::make_shared<caller<ensemble_response>>(std::move(answer))](
                     result<ensemble_response> outcome) { to->call(std::move(outcome)); };
  const auto id = what->id;
  caf::anon_send(ensembler_, infer_atom_v, ensemble_request_ptr(std::move(what)));
  return id;
}

void client::cancel_ensemble(std::uint64_t request) {
  caf::anon_send(ensembler_, cancel_atom_v, request);
}

result<cluster_summary> client::status(std::chrono::milliseconds timeout) {
  SHOAL_TRY(const auto nodes, ask<std::vector<node_status>>(system_, the_head, doors_.membership,
                                                            timeout, status_atom_v));
  SHOAL_TRY(const auto models, ask<std::vector<model_status>>(system_, the_head, doors_.deployer,
                                                              timeout, status_atom_v));
  SHOAL_TRY(const auto queue,
            ask<queue_status>(system_, the_head, doors_.scheduler, timeout, status_atom_v));
  cluster_summary out;
  for (const auto& node : nodes) out.nodes.push_back(summarize(node));
  for (const auto& m : models) out.models.push_back({m.name, m.state, m.detail, m.epoch});
  out.waiting = queue.waiting;
  out.in_flight = queue.in_flight;
  out.finished = queue.finished;
  out.failed = queue.failed;
  return out;
}

} // namespace shoal
