#pragma once

#include "runtime/base/ids.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>
#include <caf/unit.hpp>

#include <memory>
#include <vector>

namespace shoal {

struct failure;
struct peer;
struct mailbox;
struct device_offer;
struct node_offer;
struct value_spec;
struct entry_ticket;
struct cluster_doors;
struct model_order;
struct model_card;
struct deploy_order;
struct shard_ready;
struct deployment;
struct submission;
struct part_name;
struct route_grant;
struct stage_time;
struct part_report;
struct member_news;
struct shard_status;
struct node_load;
struct node_status;
struct model_status;
struct device_slowness;
struct queue_status;

struct part;
/// A part on its way through one process. Owned by whoever has the message; passed on, never
/// shared.
using part_ptr = std::shared_ptr<part>;
struct request;
using request_ptr = std::shared_ptr<request>;
struct ensemble_request;
using ensemble_request_ptr = std::shared_ptr<const ensemble_request>;
struct member_reply;
using member_reply_ptr = std::shared_ptr<const member_reply>;
struct chunk_delivery;
using chunk_delivery_ptr = std::shared_ptr<const chunk_delivery>;
struct stage_load;
using stage_load_ptr = std::shared_ptr<const stage_load>;
struct planning_outcome;
using planning_outcome_ptr = std::shared_ptr<const planning_outcome>;
struct fetch_order;
using fetch_order_ptr = std::shared_ptr<const fetch_order>;

} // namespace shoal
