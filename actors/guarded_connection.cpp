#include "actors/guarded_connection.hpp"

#include "runtime/base/fail.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/io/abstract_broker.hpp>
#include <caf/io/basp/header.hpp>

#include <atomic>

namespace shoal {

namespace network = caf::io::network;
namespace basp = caf::io::basp;

namespace {

/// A name no other connection of this process has, not even a later one: CAF names a connection by
/// its socket's number, which the next may get, and forgets a lost connection only after the
/// messages that came before, which takes the next one's routes away. Numbers of sockets lie below.
caf::io::connection_handle unused_handle() {
  static std::atomic<std::int64_t> last = std::int64_t{1} << 32;
  return caf::io::connection_handle::from_int(++last);
}

/// Whether it leads to a stream of CAF's when it reaches an actor.
bool for_stream(const basp::header& header) {
  const bool message = header.operation == basp::message_type::direct_message ||
                       header.operation == basp::message_type::routed_message;
  return message && caf::make_message_id(header.operation_data).is_stream_message();
}

/// Whether CAF may see this valid header; before the peer has introduced itself, only a handshake.
result<void> judge(const basp::header& header, bool introduced, std::size_t limit) {
  const bool handshake = basp::is_handshake(header);
  if (!introduced && !handshake)
    return fail(errc::malformed, "a handshake was expected, a {} came",
                to_string(header.operation));
  if (handshake && header.payload_len == 0)
    return fail(errc::malformed, "a handshake without content");
  if (for_stream(header)) return fail(errc::malformed, "a message for a stream, there are none");
  if (header.payload_len > limit)
    return fail(errc::malformed, "at most {} bytes of a control message were expected, {} came",
                limit, header.payload_len);
  return {};
}

} // namespace

guarded_scribe::guarded_scribe(network::default_multiplexer& backend, network::native_socket socket,
                               connection_problem on_problem, std::shared_ptr<waiting_room> room)
    : scribe_impl(backend, socket), remote_(fmt::format("{}:{}", addr(), port())),
      on_problem_(std::move(on_problem)), room_(std::move(room)),
      limit_(room_ ? max_message_to_head : max_message_from_head) {
  hdl_ = unused_handle();
  msg().handle = hdl_;
  static_cast<void>(network::keepalive(socket, true)); // heartbeats notice what this would
  if (room_) room_->push_back(this);
}

guarded_scribe::~guarded_scribe() {
  leave_room();
}

void guarded_scribe::leave_room() {
  if (const auto room = std::exchange(room_, nullptr)) room->remove(this);
}

void guarded_scribe::hang_up(const error& reason) {
  const caf::io::scribe_ptr alive(this); // the broker lets go of it
  leave_room();
  on_problem_(remote_, reason);
  // As if the connection had failed: the broker forgets it, and whoever waits for it is told.
  io_failure(&stream_.backend(), network::operation::read);
}

bool guarded_scribe::consume(caf::execution_unit* context, const void* data, std::size_t size) {
  if (detached()) return false;
  if (auto fine = check(context, data, size); !fine) {
    hang_up(fine.error());
    return false;
  }
  if (introduced_) leave_room();
  return scribe_impl::consume(context, data, size);
}

/// What comes is a header or, if the one before announced it, a payload: the broker orders them one
/// by one.
result<void> guarded_scribe::check(caf::execution_unit* context, const void* data,
                                   std::size_t size) {
  if (std::exchange(payload_comes_, false)) {
    introduced_ = true;
    return {};
  }
  basp::header header{};
  caf::binary_deserializer source(context, static_cast<const char*>(data), size);
  if (source(header) || !basp::valid(header))
    return fail(errc::malformed, "the peer does not speak the protocol of actors");
  SHOAL_CHECK(judge(header, introduced_, limit_));
  payload_comes_ = header.payload_len > 0;
  return {};
}

guarded_doorman::guarded_doorman(network::default_multiplexer& backend,
                                 network::native_socket socket, connection_problem on_problem)
    : doorman_impl(backend, socket), on_problem_(std::move(on_problem)) {}

bool guarded_doorman::new_connection() {
  auto& backend = acceptor_.backend();
  auto connection =
      caf::make_counted<guarded_scribe>(backend, acceptor_.accepted_socket(), on_problem_, room_);
  if (detached()) return false; // the port was closed meanwhile
  if (room_->size() > max_strangers)
    room_->front()->hang_up(fail(errc::resource_exhausted,
                                 "it has not introduced itself, and {} others wait",
                                 max_strangers));
  const auto handle = connection->hdl();
  parent()->add_scribe(std::move(connection));
  return doorman::new_connection(&backend, handle);
}

} // namespace shoal
