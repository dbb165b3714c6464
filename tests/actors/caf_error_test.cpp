#include "actors/caf_error.hpp"

#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <doctest/doctest.h>

using namespace shoal;

TEST_CASE("an error of ours comes back from CAF as it went in") {
  for (int code = 0; code <= static_cast<int>(errc::internal); ++code) {
    const error sent(static_cast<errc>(code), "stage 3 of 'm' on node 'n'");
    CHECK(from_caf(to_caf(sent)) == sent);
  }
}

TEST_CASE(
    "what can happen to a connection is told in words, and by the kind that a retry asks for") {
  const auto check = [](const caf::error& given, errc code, const std::string& text) {
    const auto got = from_caf(given);
    CHECK(got.code() == code);
    CHECK(got.message() == text);
  };
  check(caf::sec::request_timeout, errc::deadline_exceeded, "no answer in time");
  check(caf::sec::unexpected_actor_messaging_interface, errc::version_mismatch,
        "it speaks another interface");
  check(caf::sec::incompatible_versions, errc::version_mismatch,
        "it runs another version of the actor library");
  check(caf::sec::connection_timeout, errc::unavailable,
        "it accepts connections, but stays silent");
  check(caf::sec::disconnect_during_handshake, errc::unavailable,
        "it hung up before it said what it is");
  check(caf::sec::cannot_connect_to_node, errc::unavailable, "it cannot be connected to");
  const std::string gone = "it has ended, or the connection to it is lost";
  check(caf::sec::request_receiver_down, errc::unavailable, gone);
  check(caf::sec::no_route_to_receiving_node, errc::unavailable, gone);
  check(caf::exit_reason::remote_link_unreachable, errc::unavailable, gone);
  check(caf::exit_reason::user_shutdown, errc::unavailable, gone);
}

TEST_CASE("who was asked is named in what CAF says, not in what the asked one says itself") {
  CHECK(from_caf(caf::sec::request_timeout, "the head").message() == "the head: no answer in time");
  const error ours(errc::not_found, "no model 'm'");
  CHECK(from_caf(to_caf(ours), "the head") == ours);
}

TEST_CASE("what should not happen keeps CAF's own words") {
  const auto got = from_caf(caf::sec::unexpected_message);
  CHECK(got.code() == errc::internal);
  CHECK(got.message().find("unexpected_message") != std::string::npos);
}
