#include "actors/caf_error.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/to_string.hpp>

namespace shoal {
namespace {

constexpr auto category = caf::atom("shoal");

} // namespace

caf::error to_caf(const error& failure) {
  // CAF takes code 0 for "no error": ours start at 1 on its side.
  const auto code = static_cast<std::uint8_t>(static_cast<std::uint8_t>(failure.code()) + 1);
  return {code, category, caf::make_message(failure.message())};
}

error from_caf(const caf::error& failure) {
  if (failure.category() == category) {
    const auto known = static_cast<std::uint8_t>(errc::internal);
    const auto code = static_cast<std::uint8_t>(failure.code() - 1);
    const auto& context = failure.context();
    std::string text = context.match_elements<std::string>() ? context.get_as<std::string>(0)
                                                             : std::string("no message");
    return {code <= known ? static_cast<errc>(code) : errc::internal, std::move(text)};
  }
  const std::string text = caf::to_string(failure);
  if (failure == caf::sec::request_timeout) return {errc::deadline_exceeded, text};
  if (failure == caf::sec::unexpected_actor_messaging_interface)
    return {errc::version_mismatch, "the peer speaks another interface: " + text};
  if (failure == caf::sec::request_receiver_down ||
      failure == caf::sec::no_route_to_receiving_node ||
      failure == caf::sec::remote_linking_failed || failure == caf::exit_reason::kill ||
      failure == caf::exit_reason::remote_link_unreachable ||
      failure == caf::exit_reason::user_shutdown || failure == caf::sec::cannot_connect_to_node ||
      failure == caf::sec::disconnect_during_handshake)
    return {errc::unavailable, text};
  return {errc::internal, text};
}

} // namespace shoal
