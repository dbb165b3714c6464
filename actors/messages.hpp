#pragma once

// The control messages: what actors tell each other, small (64 KiB at most) and serialisable.
// Numbers that are fractions travel as integers (microseconds, operations per second): CAF 0.17
// does not carry every float unchanged.

#include "actors/type_ids.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/tensor/tensor.hpp"

#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

template <class Inspector>
auto inspect(Inspector& f, incarnation& x) {
  return f(caf::meta::type_name("incarnation"), x.high, x.low);
}

template <class Inspector>
auto inspect(Inspector& f, digest& x) {
  return f(caf::meta::type_name("digest"), x.bytes);
}

/// A `shoal::error` on its way through CAF.
struct failure {
  std::uint8_t code = 0;
  std::string message;

  static failure of(const error& e) { return {static_cast<std::uint8_t>(e.code()), e.message()}; }
  /// Codes of a newer version count as internal errors.
  error to_error() const {
    const bool known = code <= static_cast<std::uint8_t>(last_errc);
    return {known ? static_cast<errc>(code) : errc::internal, message};
  }
};

template <class Inspector>
auto inspect(Inspector& f, failure& x) {
  return f(caf::meta::type_name("failure"), x.code, x.message);
}

/// Where a process listens for tensors, and which life of it is meant. Port 0: it has no link, and
/// can only be spoken to from within.
struct peer {
  incarnation id;
  std::string host;
  std::uint16_t port = 0;

  peer_address address() const { return {id, host, port}; }
};

template <class Inspector>
auto inspect(Inspector& f, peer& x) {
  return f(caf::meta::type_name("peer"), x.id, x.host, x.port);
}

/// The address of an actor that takes parts: a slot of a process's post office.
struct mailbox {
  peer process;
  std::uint64_t slot = 0;
};

template <class Inspector>
auto inspect(Inspector& f, mailbox& x) {
  return f(caf::meta::type_name("mailbox"), x.process, x.slot);
}

/// A device that a node offers.
struct device_offer {
  std::string name;
  std::string kind;                   ///< "cpu" or "cuda"
  std::uint64_t flops_per_second = 0; ///< measured by `measure_device`
  std::uint64_t memory_bytes = 0;
  std::uint32_t threads = 1;
};

template <class Inspector>
auto inspect(Inspector& f, device_offer& x) {
  return f(caf::meta::type_name("device_offer"), x.name, x.kind, x.flops_per_second, x.memory_bytes,
           x.threads);
}

/// A node that wants to join.
struct node_offer {
  peer process;
  std::string name;
  std::string version;
  std::vector<device_offer> devices;
};

template <class Inspector>
auto inspect(Inspector& f, node_offer& x) {
  return f(caf::meta::type_name("node_offer"), x.process, x.name, x.version, x.devices);
}

/// Name, type and extents of a model's input or output; -1 stands for an open extent.
struct value_spec {
  std::string name;
  std::uint8_t type = 0; ///< a `dtype`
  std::vector<std::int64_t> dims;
};

template <class Inspector>
auto inspect(Inspector& f, value_spec& x) {
  return f(caf::meta::type_name("value_spec"), x.name, x.type, x.dims);
}

/// Shown at the front desk by whoever connects.
struct entry_ticket {
  std::string version;
  std::string role; ///< "node" or "client"
};

template <class Inspector>
auto inspect(Inspector& f, entry_ticket& x) {
  return f(caf::meta::type_name("entry_ticket"), x.version, x.role);
}

/// A client's wish to have a model served.
struct model_order {
  std::string name;
  digest package; ///< see runtime/store/package.hpp
  std::uint64_t package_bytes = 0;
  std::vector<peer> providers;    ///< who has package and weights, besides the head
  std::vector<value_spec> inputs; ///< example types, without open extents: what is planned for
  std::uint32_t stages = 0;       ///< 0: as many as is best
  bool plan_only = false;         ///< answer with the plan, deploy nothing
  bool tune = true;               ///< choose algorithms by measuring
  bool steady = false;            ///< only kernels that tiles can be exact with
  bool replicate = false;         ///< few stages, each on as many devices as there are
};

template <class Inspector>
auto inspect(Inspector& f, model_order& x) {
  return f(caf::meta::type_name("model_order"), x.name, x.package, x.package_bytes, x.providers,
           x.inputs, x.stages, x.plan_only, x.tune, x.steady, x.replicate);
}

/// A model that is served.
struct model_card {
  std::string name;
  std::uint64_t epoch = 0;
  std::vector<value_spec> inputs;
  std::vector<value_spec> outputs;
  bool batch_splits = false; ///< parts of a batch along axis 0 can be computed apart
  std::string plan_table;    ///< for a terminal: see runtime/plan/plan_table.hpp
  digest plan_picture;       ///< an SVG in the head's store
  std::uint64_t plan_picture_bytes = 0;
  std::vector<std::uint64_t> expected_us; ///< what each stage takes to compute, by the plan
};

template <class Inspector>
auto inspect(Inspector& f, model_card& x) {
  return f(caf::meta::type_name("model_card"), x.name, x.epoch, x.inputs, x.outputs, x.batch_splits,
           x.plan_table, x.plan_picture, x.plan_picture_bytes, x.expected_us);
}

/// The head tells a node to load one stage on one of its devices.
struct deploy_order {
  std::string model;
  std::uint64_t epoch = 0;
  std::uint32_t stage = 0;
  std::uint32_t device = 0;
  digest package;
  std::uint64_t package_bytes = 0;
  std::uint64_t memory_bytes = 0; ///< what the plan expects it to take
  std::vector<peer> providers;
  std::vector<value_spec> inputs; ///< types to compile for before saying "ready"
};

template <class Inspector>
auto inspect(Inspector& f, deploy_order& x) {
  return f(caf::meta::type_name("deploy_order"), x.model, x.epoch, x.stage, x.device, x.package,
           x.package_bytes, x.memory_bytes, x.providers, x.inputs);
}

/// The stage is loaded and compiled.
struct shard_ready {
  mailbox address;
  std::uint64_t fetched_bytes = 0; ///< weights that had to come over the network
};

template <class Inspector>
auto inspect(Inspector& f, shard_ready& x) {
  return f(caf::meta::type_name("shard_ready"), x.address, x.fetched_bytes);
}

/// A plan whose shards are all ready: one executor per stage.
struct deployment {
  std::string model;
  std::uint64_t epoch = 0;
  std::vector<mailbox> shards;            ///< those of stage 0 first, then those of stage 1 …
  std::vector<std::uint32_t> stages;      ///< by shard: the stage it is a replica of
  std::vector<std::uint32_t> devices;     ///< by shard: index among its node's devices
  std::vector<std::uint64_t> expected_us; ///< by shard
  std::vector<std::uint64_t> claimed_us;  ///< the same if devices were as fast as they say
};

template <class Inspector>
auto inspect(Inspector& f, deployment& x) {
  return f(caf::meta::type_name("deployment"), x.model, x.epoch, x.shards, x.stages, x.devices,
           x.expected_us, x.claimed_us);
}

/// A client asks for routes for all parts of a request.
struct submission {
  std::uint64_t request = 0;
  std::uint32_t parts = 1;
  std::string model;
  std::int32_t priority = 0;
  std::uint64_t remaining_us = 0; ///< until the deadline
  std::uint64_t shape_class = 0;
};

template <class Inspector>
auto inspect(Inspector& f, submission& x) {
  return f(caf::meta::type_name("submission"), x.request, x.parts, x.model, x.priority,
           x.remaining_us, x.shape_class);
}

/// One attempt at one part.
struct part_name {
  std::uint64_t request = 0;
  std::uint32_t part = 0;
  std::uint32_t attempt = 0;
  std::uint64_t epoch = 0;

  friend bool operator==(const part_name&, const part_name&) = default;
};

template <class Inspector>
auto inspect(Inspector& f, part_name& x) {
  return f(caf::meta::type_name("part_name"), x.request, x.part, x.attempt, x.epoch);
}

/// The scheduler's answer for one part: where to send it.
struct route_grant {
  part_name name;
  std::vector<mailbox> shards;
};

template <class Inspector>
auto inspect(Inspector& f, route_grant& x) {
  return f(caf::meta::type_name("route_grant"), x.name, x.shards);
}

/// What one stage did to a part.
struct stage_time {
  incarnation node;
  std::uint64_t queue_us = 0;
  std::uint64_t compute_us = 0;
  std::uint64_t transfer_us =
      0; ///< from leaving the stage before to arriving, by the receiver's clock; 0 within a process
  std::uint64_t bytes = 0; ///< that came over the network
};

template <class Inspector>
auto inspect(Inspector& f, stage_time& x) {
  return f(caf::meta::type_name("stage_time"), x.node, x.queue_us, x.compute_us, x.transfer_us,
           x.bytes);
}

/// How an attempt went. `error` is empty for a success.
struct part_report {
  part_name name;
  std::vector<failure> error;
  bool executor_lost = false;
  std::vector<stage_time> stages;
};

template <class Inspector>
auto inspect(Inspector& f, part_report& x) {
  return f(caf::meta::type_name("part_report"), x.name, x.error, x.executor_lost, x.stages);
}

/// Something happened to a member of the cluster.
struct member_news {
  std::uint8_t change = 0; ///< a `membership_change`
  node_offer node;
};

template <class Inspector>
auto inspect(Inspector& f, member_news& x) {
  return f(caf::meta::type_name("member_news"), x.change, x.node);
}

struct shard_status {
  std::string model;
  std::uint64_t epoch = 0;
  std::uint32_t stage = 0;
  std::uint32_t device = 0;
  std::uint64_t parts_done = 0;
  std::uint64_t compute_us = 0; ///< sum over all parts
};

template <class Inspector>
auto inspect(Inspector& f, shard_status& x) {
  return f(caf::meta::type_name("shard_status"), x.model, x.epoch, x.stage, x.device, x.parts_done,
           x.compute_us);
}

/// What a node tells with every heartbeat.
struct node_load {
  std::vector<shard_status> shards;
  std::vector<std::uint64_t> device_queue;   ///< parts waiting or running, by device
  std::vector<std::uint64_t> device_busy_us; ///< compute time since the start, by device
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

template <class Inspector>
auto inspect(Inspector& f, node_load& x) {
  return f(caf::meta::type_name("node_load"), x.shards, x.device_queue, x.device_busy_us,
           x.bytes_sent, x.bytes_received);
}

struct node_status {
  node_offer node;
  std::string state;
  node_load load;
  std::uint64_t heard_ms = 0; ///< since the last heartbeat
};

template <class Inspector>
auto inspect(Inspector& f, node_status& x) {
  return f(caf::meta::type_name("node_status"), x.node, x.state, x.load, x.heard_ms);
}

struct model_status {
  std::string name;
  std::string state; ///< "fetching", "planning", "deploying", "ready", "failed"
  std::string detail;
  std::uint64_t epoch = 0;
  std::uint64_t done = 0; ///< of the step that `state` names
  std::uint64_t total = 0;
};

template <class Inspector>
auto inspect(Inspector& f, model_status& x) {
  return f(caf::meta::type_name("model_status"), x.name, x.state, x.detail, x.epoch, x.done,
           x.total);
}

/// How much slower than it says a device has turned out to be: see device_paces.
struct device_slowness {
  incarnation node;
  std::uint32_t device = 0;
  double factor = 1;
};

template <class Inspector>
auto inspect(Inspector& f, device_slowness& x) {
  return f(caf::meta::type_name("device_slowness"), x.node, x.device, x.factor);
}

struct queue_status {
  std::uint64_t waiting = 0;   ///< parts without a route
  std::uint64_t in_flight = 0; ///< parts on their way
  std::uint64_t finished = 0;  ///< since the start
  std::uint64_t failed = 0;
};

template <class Inspector>
auto inspect(Inspector& f, queue_status& x) {
  return f(caf::meta::type_name("queue_status"), x.waiting, x.in_flight, x.finished, x.failed);
}

/// What the front desk gives to those it lets in.
struct cluster_doors {
  peer head;
  std::string link_token; ///< what the tensor links of this cluster show each other
  membership_actor membership;
  scheduler_actor scheduler;
  deployer_actor deployer;
};

template <class Inspector>
auto inspect(Inspector& f, cluster_doors& x) {
  return f(caf::meta::type_name("cluster_doors"), x.head, x.link_token, x.membership, x.scheduler,
           x.deployer);
}

} // namespace shoal
