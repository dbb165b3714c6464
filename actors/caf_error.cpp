#include "actors/caf_error.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/to_string.hpp>

namespace shoal {
namespace {

constexpr auto category = caf::atom("shoal");

constexpr const char* gone = "it has ended, or the connection to it is lost";

/// What befalls connections. "It" is whoever was asked: callers say who that is.
struct usual_failure {
  caf::sec known;
  errc code;
  const char* text;
};
constexpr usual_failure usual[] = {
    {caf::sec::request_timeout, errc::deadline_exceeded, "no answer in time"},
    {caf::sec::connection_timeout, errc::unavailable, "it accepts connections, but stays silent"},
    {caf::sec::disconnect_during_handshake, errc::unavailable,
     "it hung up before it said what it is"},
    {caf::sec::cannot_connect_to_node, errc::unavailable, "it cannot be connected to"},
    {caf::sec::request_receiver_down, errc::unavailable, gone},
    {caf::sec::no_route_to_receiving_node, errc::unavailable, gone},
    {caf::sec::remote_linking_failed, errc::unavailable, gone},
    {caf::sec::unexpected_actor_messaging_interface, errc::version_mismatch,
     "it speaks another interface"},
    {caf::sec::incompatible_versions, errc::version_mismatch,
     "it runs another version of the actor library"},
    {caf::sec::incompatible_application_ids, errc::version_mismatch, "it is no Shoal process"},
};

error ours(const caf::error& failure) {
  const auto known = static_cast<std::uint8_t>(errc::internal);
  const auto code = static_cast<std::uint8_t>(failure.code() - 1);
  const auto& context = failure.context();
  std::string text = context.match_elements<std::string>() ? context.get_as<std::string>(0)
                                                           : std::string("no message");
  return {code <= known ? static_cast<errc>(code) : errc::internal, std::move(text)};
}

error tell(const caf::error& failure) {
  for (const auto& [known, code, text] : usual)
    if (failure == known) return {code, text};
  const bool ended = failure.category() == caf::atom("exit");
  if (ended && failure != caf::exit_reason::unhandled_exception) return {errc::unavailable, gone};
  return {errc::internal, caf::to_string(failure)};
}

} // namespace

caf::error to_caf(const error& failure) {
  // CAF takes code 0 for "no error": ours start at 1 on its side.
  const auto code = static_cast<std::uint8_t>(static_cast<std::uint8_t>(failure.code()) + 1);
  return {code, category, caf::make_message(failure.message())};
}

error from_caf(const caf::error& failure, std::string_view whom) {
  if (failure.category() == category) return ours(failure);
  auto told = tell(failure);
  return whom.empty() ? told : std::move(told).within(whom);
}

} // namespace shoal
