#pragma once

#include "actors/gatekeeper.hpp"
#include "runtime/base/result.hpp"

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>
#include <caf/io/network/scribe_impl.hpp>

#include <list>
#include <memory>
#include <string>

namespace shoal {

class guarded_scribe;

/// The connections of a port that have not introduced themselves, the eldest first.
using waiting_room = std::list<guarded_scribe*>;

/// A connection of CAF's middleman that looks at every header before CAF does. Lives in CAF's
/// network thread.
class guarded_scribe final : public caf::io::network::scribe_impl {
 public:
  /// Takes the socket over. One that was accepted waits in `room` until it has introduced itself;
  /// without a room, it leads to a head.
  guarded_scribe(caf::io::network::default_multiplexer& backend,
                 caf::io::network::native_socket socket, connection_problem on_problem,
                 std::shared_ptr<waiting_room> room);
  ~guarded_scribe() override;

  bool consume(caf::execution_unit* context, const void* data, std::size_t size) override;
  void hang_up(const error& reason);

 private:
  result<void> check(caf::execution_unit* context, const void* data, std::size_t size);
  void leave_room();

  const std::string remote_; ///< known only while the connection lasts
  const connection_problem on_problem_;
  std::shared_ptr<waiting_room> room_; ///< null when it does not wait
  const std::size_t limit_;            ///< bytes of a message
  bool introduced_ = false;
  bool payload_comes_ = false;
};

/// A listening socket of CAF's middleman whose connections are guarded.
class guarded_doorman final : public caf::io::network::doorman_impl {
 public:
  guarded_doorman(caf::io::network::default_multiplexer& backend,
                  caf::io::network::native_socket socket, connection_problem on_problem);

  bool new_connection() override;

 private:
  const connection_problem on_problem_;
  const std::shared_ptr<waiting_room> room_ = std::make_shared<waiting_room>();
};

} // namespace shoal
