#include "tests/bench/caf_wire.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace shoal::bench {
namespace {

constexpr std::size_t window_bytes = std::size_t{64} << 20;

caf::behavior taker() {
  return {[](const std::string& text) { return static_cast<std::uint64_t>(text.size()); },
          [](const std::vector<float>& values) {
            return static_cast<std::uint64_t>(values.size() * sizeof(float));
          }};
}

struct wire_config : caf::actor_system_config {
  wire_config() {
    load<caf::io::middleman>();
    add_message_type<std::vector<float>>("floats");
    set("scheduler.max-threads", 1u);
  }
};

template <class T>
T must(caf::expected<T> what) {
  if (!what) {
    fmt::print(stderr, "CAF: {}\n", caf::to_string(what.error()));
    std::_Exit(1);
  }
  return std::move(*what);
}

} // namespace

struct caf_wire::state {
  wire_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  caf::actor other;
};

caf_wire::caf_wire() : state_(std::make_unique<state>()) {}

caf_wire::~caf_wire() = default;

std::uint16_t caf_wire::serve() {
  state_->other = state_->system.spawn(taker);
  return must(state_->system.middleman().publish(state_->other, 0, "127.0.0.1"));
}

void caf_wire::connect(std::uint16_t port) {
  state_->other = must(state_->system.middleman().remote_actor("127.0.0.1", port));
}

double caf_wire::send(caf_payload kind, std::size_t bytes, std::uint64_t count) {
  const auto content = kind == caf_payload::text
                           ? caf::make_message(std::string(bytes, 'Z'))
                           : caf::make_message(std::vector<float>(bytes / sizeof(float), 0.5f));
  const auto window = std::clamp<std::uint64_t>(window_bytes / bytes, 2, 64);
  auto& self = state_->self;
  std::uint64_t sent = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t taken = 0; taken < count; ++taken) {
    for (; sent < count && sent < taken + window; ++sent) self->send(state_->other, content);
    self->receive([&](std::uint64_t size) {
      if (size != bytes) std::_Exit(1);
    });
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace shoal::bench
