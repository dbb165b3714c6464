#pragma once

#include "actors/interfaces.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/type_id.hpp>

CAF_BEGIN_TYPE_ID_BLOCK(shoal, first_custom_type_id)

CAF_ADD_TYPE_ID(shoal, (shoal::incarnation))
CAF_ADD_TYPE_ID(shoal, (shoal::digest))
CAF_ADD_TYPE_ID(shoal, (shoal::failure))
CAF_ADD_TYPE_ID(shoal, (shoal::peer))
CAF_ADD_TYPE_ID(shoal, (shoal::mailbox))
CAF_ADD_TYPE_ID(shoal, (shoal::device_offer))
CAF_ADD_TYPE_ID(shoal, (shoal::node_offer))
CAF_ADD_TYPE_ID(shoal, (shoal::value_spec))
CAF_ADD_TYPE_ID(shoal, (shoal::entry_ticket))
CAF_ADD_TYPE_ID(shoal, (shoal::cluster_doors))
CAF_ADD_TYPE_ID(shoal, (shoal::model_order))
CAF_ADD_TYPE_ID(shoal, (shoal::model_card))
CAF_ADD_TYPE_ID(shoal, (shoal::deploy_order))
CAF_ADD_TYPE_ID(shoal, (shoal::shard_ready))
CAF_ADD_TYPE_ID(shoal, (shoal::deployment))
CAF_ADD_TYPE_ID(shoal, (shoal::submission))
CAF_ADD_TYPE_ID(shoal, (shoal::part_name))
CAF_ADD_TYPE_ID(shoal, (shoal::route_grant))
CAF_ADD_TYPE_ID(shoal, (shoal::stage_time))
CAF_ADD_TYPE_ID(shoal, (shoal::part_report))
CAF_ADD_TYPE_ID(shoal, (shoal::member_news))
CAF_ADD_TYPE_ID(shoal, (shoal::shard_status))
CAF_ADD_TYPE_ID(shoal, (shoal::node_load))
CAF_ADD_TYPE_ID(shoal, (shoal::node_status))
CAF_ADD_TYPE_ID(shoal, (shoal::model_status))
CAF_ADD_TYPE_ID(shoal, (shoal::device_slowness))
CAF_ADD_TYPE_ID(shoal, (shoal::queue_status))
CAF_ADD_TYPE_ID(shoal, (std::vector<shoal::node_status>))
CAF_ADD_TYPE_ID(shoal, (std::vector<shoal::model_status>))
CAF_ADD_TYPE_ID(shoal, (std::vector<shoal::device_slowness>))

CAF_ADD_TYPE_ID(shoal, (shoal::front_desk_actor))
CAF_ADD_TYPE_ID(shoal, (shoal::membership_actor))
CAF_ADD_TYPE_ID(shoal, (shoal::scheduler_actor))
CAF_ADD_TYPE_ID(shoal, (shoal::deployer_actor))
CAF_ADD_TYPE_ID(shoal, (shoal::node_agent_actor))
CAF_ADD_TYPE_ID(shoal, (shoal::splitter_actor))

CAF_END_TYPE_ID_BLOCK(shoal)

// Messages of these types never leave their process: tensors travel over the tensor link.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::part_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::ensemble_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::member_reply_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::chunk_delivery_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::fetch_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::stage_load_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(shoal::planning_outcome_ptr)
