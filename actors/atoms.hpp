#pragma once

// The first word of every message. Ten characters at most: CAF packs them into a number.

#include <caf/type_id.hpp>

CAF_ADD_ATOM(shoal, shoal, enter_atom, "enter")
CAF_ADD_ATOM(shoal, shoal, register_atom, "register")
CAF_ADD_ATOM(shoal, shoal, beat_atom, "beat")
CAF_ADD_ATOM(shoal, shoal, drain_atom, "drain")
CAF_ADD_ATOM(shoal, shoal, depart_atom, "depart")
CAF_ADD_ATOM(shoal, shoal, news_atom, "news")
CAF_ADD_ATOM(shoal, shoal, status_atom, "status")
CAF_ADD_ATOM(shoal, shoal, load_atom, "load")
CAF_ADD_ATOM(shoal, shoal, unload_atom, "unload")
CAF_ADD_ATOM(shoal, shoal, planned_atom, "planned")
CAF_ADD_ATOM(shoal, shoal, pace_atom, "pace")
CAF_ADD_ATOM(shoal, shoal, deploy_atom, "deploy")
CAF_ADD_ATOM(shoal, shoal, retire_atom, "retire")
CAF_ADD_ATOM(shoal, shoal, submit_atom, "submit")
CAF_ADD_ATOM(shoal, shoal, cancel_atom, "cancel")
CAF_ADD_ATOM(shoal, shoal, granted_atom, "granted")
CAF_ADD_ATOM(shoal, shoal, ended_atom, "ended")
CAF_ADD_ATOM(shoal, shoal, report_atom, "report")
CAF_ADD_ATOM(shoal, shoal, part_atom, "part")
CAF_ADD_ATOM(shoal, shoal, run_atom, "run")
CAF_ADD_ATOM(shoal, shoal, done_atom, "done")
CAF_ADD_ATOM(shoal, shoal, infer_atom, "infer")
CAF_ADD_ATOM(shoal, shoal, expect_atom, "expect")
CAF_ADD_ATOM(shoal, shoal, fetch_atom, "fetch")
CAF_ADD_ATOM(shoal, shoal, chunk_atom, "chunk")
