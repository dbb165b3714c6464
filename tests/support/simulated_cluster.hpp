#pragma once

#include "actors/aggregator.hpp"
#include "actors/ensembler.hpp"
#include "actors/executor.hpp"
#include "actors/scheduler.hpp"
#include "actors/shard.hpp"
#include "actors/splitter.hpp"
#include "runtime/schedule/membership_table.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shoal::test {

/// What a stubbed executor does with a part: changes it in place (values, failure), or returns
/// false to swallow it. Called with the stage.
using stub_work = std::function<bool(part&, std::uint32_t stage)>;

/// The real actors of a request, with executors stubbed, in one thread on virtual time: nothing
/// happens but in `run` and `advance`.
class simulated_cluster {
 public:
  explicit simulated_cluster(std::size_t stages, stub_work work)
      : system_(config_),
        coordinator_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
        office_(std::make_shared<post_office>(peer{{1, 2}, "", 0}, [this] { return now(); })) {
    scheduler_ = system_.spawn(scheduler, std::uint64_t{7}, scheduler_options{});
    aggregator_ = system_.spawn(aggregator, scheduler_);
    const auto results = office_->open_mailbox(part_receiver_actor(aggregator_));
    splitter_ = system_.spawn(splitter, scheduler_, aggregator_, results, office_);
    ensembler_ = system_.spawn(ensembler, splitter_);
    executor_ = system_.spawn(stub_executor, std::move(work));
    use_plan(1, stages);
  }
  ~simulated_cluster() {
    office_->close();
    for (const auto& actor :
         {caf::actor_cast<caf::actor>(scheduler_), caf::actor_cast<caf::actor>(aggregator_),
          caf::actor_cast<caf::actor>(splitter_), caf::actor_cast<caf::actor>(ensembler_),
          caf::actor_cast<caf::actor>(executor_)})
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    run();
  }

  /// Puts a plan of so many stages, each on a device of its own of this node, in the place of the
  /// one before.
  void use_plan(std::uint64_t epoch, std::size_t stages) {
    deployment d;
    d.model = model_name();
    d.epoch = epoch;
    for (std::size_t s = 0; s < stages; ++s) {
      auto program = std::make_shared<stage_program>(
          stage_name{model_name(), epoch, static_cast<std::uint32_t>(s)}, nothing(),
          session_options{});
      const auto actor = system_.spawn(shard, program, executor_, office_);
      d.shards.push_back(office_->open_mailbox(part_receiver_actor(actor)));
      d.stages.push_back(static_cast<std::uint32_t>(s));
      d.devices.push_back(static_cast<std::uint32_t>(s));
      d.expected_us.push_back(1000);
      d.claimed_us.push_back(1000);
    }
    caf::anon_send(scheduler_, planned_atom_v, d);
    run();
  }

  void lose_node() {
    member_news news{static_cast<std::uint8_t>(membership_change::lost), {}};
    news.node.process = office_->self();
    caf::anon_send(scheduler_, news_atom_v, news);
    run();
  }

  /// Sends a request; its outcomes, of which there should be one, are appended to `outcomes`.
  std::uint64_t infer(tensor input, std::vector<result<response>>& outcomes,
                      std::chrono::milliseconds timeout = std::chrono::seconds(10),
                      std::uint32_t parts = 1) {
    auto what = std::make_shared<request>();
    what->id = next_request_++;
    what->model = model_name();
    what->inputs = {std::move(input)};
    what->parts = parts;
    what->started = now();
    what->deadline = now() + timeout;
    what->answer = [&outcomes](result<response> r) { outcomes.push_back(std::move(r)); };
    const auto id = what->id;
    caf::anon_send(splitter_, infer_atom_v, std::move(what));
    return id;
  }
  /// The same for an ensemble whose members are all the one model, each asked its own input.
  std::uint64_t infer_ensemble(std::shared_ptr<const ensemble_rules> rules,
                               const std::vector<tensor>& inputs,
                               std::vector<result<ensemble_response>>& outcomes,
                               std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    auto what = std::make_shared<ensemble_request>();
    what->id = next_request_;
    next_request_ += 1 + inputs.size();
    what->ensemble = "trio";
    what->rules = std::move(rules);
    for (const auto& input : inputs) what->members.push_back({model_name(), {input}, {0}});
    what->started = now();
    what->deadline = now() + timeout;
    what->answer = [&outcomes](result<ensemble_response> r) { outcomes.push_back(std::move(r)); };
    const auto id = what->id;
    caf::anon_send(ensembler_, infer_atom_v, ensemble_request_ptr(std::move(what)));
    return id;
  }
  void cancel_ensemble(std::uint64_t id) { caf::anon_send(ensembler_, cancel_atom_v, id); }

  /// What the scheduler has learned, by device.
  std::map<std::uint32_t, double> slowness() {
    std::map<std::uint32_t, double> learned;
    caf::scoped_actor asker(system_);
    auto asked = asker->request(scheduler_, std::chrono::seconds(10), pace_atom_v);
    run();
    asked.receive(
        [&](const std::vector<device_slowness>& all) {
          for (const auto& d : all) learned[d.device] = d.factor;
        },
        [](caf::error& e) { FAIL(to_string(e)); });
    return learned;
  }
  void cancel(std::uint64_t id) { caf::anon_send(splitter_, cancel_atom_v, id); }

  static std::string model_name() { return std::string(1, 'm'); }

  instant now() { return coordinator_.clock().now(); }
  void run() { coordinator_.run(); }
  /// Lets time pass in steps, so that timers set by timers fire, too.
  void advance(std::chrono::milliseconds span) {
    constexpr std::chrono::milliseconds step(10);
    for (std::chrono::milliseconds passed(0); passed < span; passed += step) {
      coordinator_.advance_time(step);
      run();
    }
  }

 private:
  static executor_actor::behavior_type
  stub_executor(executor_actor::stateful_pointer<executor_state> self, stub_work work) {
    return {[self, work](run_atom, part_ptr& p) {
      const auto stage = p->program->name.stage;
      p->program.reset();
      const auto owner = caf::actor_cast<shard_actor>(std::move(p->shard));
      if (work(*p, stage)) self->send(owner, done_atom_v, std::move(p));
    }};
  }

  static std::shared_ptr<const graph> nothing() {
    return std::make_shared<const graph>(*graph_builder().build());
  }

  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::shoal>();
      set("scheduler.policy", caf::atom("testing"));
      set("logger.verbosity", caf::atom("quiet"));
    }
  };
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& coordinator_;
  std::shared_ptr<post_office> office_;
  scheduler_actor scheduler_;
  aggregator_actor aggregator_;
  splitter_actor splitter_;
  ensembler_actor ensembler_;
  executor_actor executor_;
  std::uint64_t next_request_ = 100;
};

} // namespace shoal::test
