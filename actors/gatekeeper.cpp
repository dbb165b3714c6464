#include "actors/gatekeeper.hpp"

#include "actors/guarded_connection.hpp"

#include <caf/actor_cast.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor_impl.hpp>
#include <caf/send.hpp>

namespace shoal {
namespace {

namespace network = caf::io::network;

class guarding_middleman : public caf::io::middleman_actor_impl {
 public:
  guarding_middleman(caf::actor_config& config, caf::actor broker, connection_problem on_problem)
      : middleman_actor_impl(config, std::move(broker)), on_problem_(std::move(on_problem)) {}

  const char* name() const override { return "gatekeeper"; }

 protected:
  caf::expected<caf::io::scribe_ptr> connect(const std::string& host, std::uint16_t port) override {
    auto socket = network::new_tcp_connection(host, port);
    if (!socket) return std::move(socket.error());
    return caf::io::scribe_ptr(
        caf::make_counted<guarded_scribe>(backend(), *socket, on_problem_, nullptr));
  }

  caf::expected<caf::io::doorman_ptr> open(std::uint16_t port, const char* address,
                                           bool reuse) override {
    auto socket = network::new_tcp_acceptor_impl(port, address, reuse);
    if (!socket) return std::move(socket.error());
    return caf::io::doorman_ptr(
        caf::make_counted<guarded_doorman>(backend(), *socket, on_problem_));
  }

 private:
  network::default_multiplexer& backend() {
    return static_cast<network::default_multiplexer&>(system().middleman().backend());
  }

  connection_problem on_problem_;
};

} // namespace

gatekeeper::gatekeeper(caf::actor_system& system, connection_problem on_problem) {
  auto broker = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  if (!on_problem) on_problem = [](std::string_view, const error&) {};
  // Detached, for connecting blocks.
  middleman_ = system.spawn<guarding_middleman, caf::detached + caf::hidden>(std::move(broker),
                                                                             std::move(on_problem));
}

gatekeeper::~gatekeeper() {
  caf::anon_send_exit(middleman_, caf::exit_reason::kill); // it ignores every other reason
}

} // namespace shoal
