#pragma once

// The typed interface of every actor, in the order of a request's life. Handlers that answer do so
// with the value or with an error made by `to_caf` (caf_error.hpp).

#include "actors/atoms.hpp"
#include "actors/fwd.hpp"

#include <string>

namespace shoal {

/// Takes parts: shards and aggregators. Reached by its mailbox address through a post office, from
/// any process.
using part_receiver_actor = caf::typed_actor<
    // A part arrives, with the values that the stage (or the client) expects.
    caf::reacts_to<part_atom, part_ptr>>;

/// Hosts one stage on one executor.
using shard_actor = part_receiver_actor::extend<
    // The executor has run the part: its values are the outputs, or it carries a failure.
    caf::reacts_to<done_atom, part_ptr>>;

/// Cuts requests of this process into parts, keeps them until their results are in, and sends them
/// where the scheduler says.
using splitter_actor = caf::typed_actor<
    // Run this request; it is answered through its callback, exactly once.
    caf::reacts_to<infer_atom, request_ptr>,
    // The scheduler grants a part a route, the first time or for another attempt.
    caf::reacts_to<granted_atom, route_grant>,
    // The scheduler gives a part up.
    caf::reacts_to<ended_atom, part_name, failure>,
    // The aggregator has what it needs of this request, or it failed: forget the parts.
    caf::reacts_to<done_atom, std::uint64_t>,
    // The caller no longer wants this request.
    caf::reacts_to<cancel_atom, std::uint64_t>>;

/// Collects the results of this process's requests, combines and answers them.
using aggregator_actor = part_receiver_actor::extend<
    // This request is on its way; answer it by its deadline whatever happens.
    caf::reacts_to<expect_atom, request_ptr>,
    // A part has failed for good.
    caf::reacts_to<ended_atom, part_name, failure>,
    // Its own timer.
    caf::reacts_to<caf::tick_atom>>;

/// Answers requests of this process to ensembles: asks all members at once, and combines.
using ensembler_actor = caf::typed_actor<
    // Ask the members; it is answered through its callback, exactly once.
    caf::reacts_to<infer_atom, ensemble_request_ptr>,
    // What a member said. Never leaves the process.
    caf::reacts_to<done_atom, member_reply_ptr>,
    // The caller no longer wants this request.
    caf::reacts_to<cancel_atom, std::uint64_t>,
    // Its own timer.
    caf::reacts_to<caf::tick_atom>>;

/// Admits requests, queues parts, chooses their routes, decides on retries. One per head.
using scheduler_actor = caf::typed_actor<
    // A client wants routes; they come as `granted`, or `ended`, to the given splitter.
    caf::reacts_to<submit_atom, submission, splitter_actor>,
    // How an attempt went.
    caf::reacts_to<report_atom, part_report>,
    // Forget the open parts of a request.
    caf::reacts_to<cancel_atom, std::uint64_t>,
    // A plan is ready: new parts of its model go there.
    caf::reacts_to<planned_atom, deployment>,
    // From membership.
    caf::reacts_to<news_atom, member_news>,
    // How busy it is.
    caf::replies_to<status_atom>::with<queue_status>,
    // What was learned of devices.
    caf::replies_to<pace_atom>::with<std::vector<device_slowness>>,
    // Its own timer.
    caf::reacts_to<caf::tick_atom>>;

/// Runs on a node: offers its devices, loads shards.
using node_agent_actor = caf::typed_actor<
    // Load a stage; answered when it is compiled, or with an error.
    caf::replies_to<deploy_atom, deploy_order>::with<shard_ready>,
    // A device's thread has compiled a stage, or failed to. Never leaves the process.
    caf::reacts_to<done_atom, stage_load_ptr>,
    // Unload what there is of this model's plans, from one epoch up to another and with both.
    caf::reacts_to<retire_atom, std::string, std::uint64_t, std::uint64_t>,
    // No new work; leave the cluster when the last part is done, then quit.
    caf::reacts_to<drain_atom>,
    // Its own timer: heartbeats.
    caf::reacts_to<caf::tick_atom>>;

/// Knows who is in the cluster. One per head.
using membership_actor = caf::typed_actor<
    // A node joins; the answer is its lease in milliseconds.
    caf::replies_to<register_atom, node_offer, node_agent_actor>::with<std::uint64_t>,
    // It is alive, and this busy. Errors: stale when it has to register again.
    caf::reacts_to<beat_atom, incarnation, node_load>,
    // It leaves: no new work for it.
    caf::reacts_to<drain_atom, incarnation>,
    // It has left.
    caf::reacts_to<depart_atom, incarnation>,
    caf::replies_to<status_atom>::with<std::vector<node_status>>,
    // Its own timer.
    caf::reacts_to<caf::tick_atom>>;

/// Turns a model into a plan and the plan into shards on nodes. One per head.
using deployer_actor = caf::typed_actor<
    // Plan and deploy; answered when it can be used.
    caf::replies_to<load_atom, model_order>::with<model_card>,
    caf::reacts_to<unload_atom, std::string>,
    // The planner's thread has made a plan, or failed to. Never leaves the process.
    caf::reacts_to<planned_atom, planning_outcome_ptr>,
    // From membership; the agent is valid for nodes that joined.
    caf::reacts_to<news_atom, member_news, node_agent_actor>,
    caf::replies_to<status_atom>::with<std::vector<model_status>>>;

/// The one published actor of a head. Its interface stays the same for all versions.
using front_desk_actor = caf::typed_actor<
    // Let in, or refused: version_mismatch names both versions.
    caf::replies_to<enter_atom, entry_ticket>::with<cluster_doors>>;

/// Gets packages and weights from other processes into this one's store, and serves them. One per
/// process.
using model_store_actor = caf::typed_actor<
    // Get these chunks; answered with the bytes that came over the network.
    caf::replies_to<fetch_atom, fetch_order_ptr>::with<std::uint64_t>,
    // A chunk, a request for one, or word that there is none, from the tensor link.
    caf::reacts_to<chunk_atom, chunk_delivery_ptr>,
    // Its own timer.
    caf::reacts_to<caf::tick_atom>>;

/// Owns one device. Local to its process.
using executor_actor = caf::typed_actor<
    // Run the part's next stage; answered by `done` to its shard.
    caf::reacts_to<run_atom, part_ptr>>;

} // namespace shoal
