#include "actors/model_store.hpp"

#include "actors/caf_error.hpp"
#include "actors/part_codec.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/store/package.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace shoal {
namespace {

using pointer = model_store_actor::stateful_pointer<model_store_state>;

message about_chunk(link_kind kind, const digest& name) {
  message out;
  out.kind = static_cast<std::uint16_t>(kind);
  out.priority = kind == link_kind::chunk ? message_priority::bulk : message_priority::control;
  const auto bytes = std::as_bytes(std::span(name.bytes));
  out.metadata.assign(bytes.begin(), bytes.end());
  return out;
}

void answer_request(const process_store& store, post_office& office,
                    const chunk_delivery& request) {
  const peer_address to{request.from, "", 0}; // it is connected: it has just asked
  auto bytes = store.read(request.name);
  if (!bytes) {
    auto reply = about_chunk(link_kind::chunk_missing, request.name);
    const auto text = bytes_of(std::string_view(bytes.error().message()).substr(0, 1000));
    reply.metadata.insert(reply.metadata.end(), text.begin(), text.end());
    return office.send_message(to, std::move(reply), {});
  }
  auto reply = about_chunk(link_kind::chunk, request.name);
  const auto size = static_cast<std::int64_t>((*bytes)->size());
  reply.tensors.push_back(tensor({dtype::u8, {size}}, *std::move(bytes)));
  office.send_message(to, std::move(reply), {});
}

result<void> keep(const process_store& store, const digest& name, const storage_ptr& bytes) {
  if (store.disk) return store.disk->put(name, {bytes->data(), bytes->size()});
  store.memory->add(bytes);
  return {};
}

void send_requests(pointer self, post_office& office, model_store_state::fetch& f) {
  const auto now = self->clock().now();
  for (const auto& ask : f.plan.next_requests(now)) {
    auto failed = [me = model_store_actor(self), peer = ask.peer,
                   name = ask.chunk](result<void> sent) {
      if (sent) return;
      auto word = std::make_shared<chunk_delivery>();
      word->from = peer;
      word->what = chunk_delivery::kind::missing;
      word->name = name;
      word->text = to_string(sent.error());
      caf::anon_send(me, chunk_atom_v, chunk_delivery_ptr(std::move(word)));
    };
    office.send_message(f.providers.at(ask.peer), about_chunk(link_kind::chunk_request, ask.chunk),
                        std::move(failed));
  }
}

/// Sends what is to be asked, answers what is done or failed, and sets the timer for the rest.
void pump(pointer self, post_office& office) {
  auto& s = self->state;
  std::optional<instant> next;
  for (auto f = s.fetches.begin(); f != s.fetches.end();) {
    send_requests(self, office, *f);
    if (f->progress) f->progress->store(f->plan.progress().bytes_done);
    if (f->plan.failed()) {
      f->answer.deliver(to_caf(*f->plan.failed()));
      f = s.fetches.erase(f);
    } else if (f->plan.done()) {
      f->answer.deliver(f->fetched);
      f = s.fetches.erase(f);
    } else {
      if (const auto due = f->plan.next_event(self->clock().now()); due && (!next || *due < *next))
        next = due;
      ++f;
    }
  }
  if (!next || (s.timer && *s.timer <= *next)) return;
  s.timer = next;
  const auto now = self->clock().now();
  self->delayed_send(model_store_actor(self), *next > now ? *next - now : time_span::zero(),
                     caf::tick_atom_v);
}

void take_content(pointer self, const process_store& store, const chunk_delivery& d) {
  const byte_span bytes(d.bytes->data(), d.bytes->size());
  for (auto& f : self->state.fetches) {
    if (f.plan.on_chunk(d.from, d.name, bytes, self->clock().now()) !=
        fetch_plan::verdict::accepted)
      continue;
    f.fetched += d.bytes->size();
    if (auto kept = keep(store, d.name, d.bytes); !kept) f.plan.abort(kept.error());
  }
}

} // namespace

bool process_store::contains(const wanted_chunk& chunk) const {
  return memory->contains(chunk.name) || (disk && disk->contains(chunk.name, chunk.bytes));
}

result<storage_ptr> process_store::read(const digest& name) const {
  if (memory->contains(name)) return memory->read(name);
  if (disk) return disk->read(name);
  return fail(errc::not_found, "there is no content named {}", to_string(name));
}

result<std::shared_ptr<const graph>> process_store::open_graph(const digest& package,
                                                               chunk_store::pin& pin) const {
  SHOAL_TRY(const auto blob, read(package));
  const byte_span bytes(blob->data(), blob->size());
  if (!disk) return unpack_graph(bytes, static_cast<chunk_source&>(*memory));
  SHOAL_TRY(const auto weights, read_manifests(bytes));
  std::vector<digest> names{package};
  for (const auto& weight : weights)
    names.insert(names.end(), weight.chunks.begin(), weight.chunks.end());
  pin = disk->pin_chunks(names);
  auto opened = unpack_graph(bytes, *disk);
  if (!opened && opened.error().code() == errc::not_found)
    for (const auto& name : names) (void)disk->read(name); // deletes it if it is corrupt
  return opened;
}

model_store_actor::behavior_type model_store(pointer self, process_store store,
                                             std::shared_ptr<post_office> office) {
  return {
      [=](fetch_atom, const fetch_order_ptr& order) -> caf::result<std::uint64_t> {
        model_store_state::fetch f{
            fetch_plan(order->chunks,
                       [&store](const wanted_chunk& chunk) { return store.contains(chunk); }),
            {},
            order->progress,
            0,
            self->make_response_promise<std::uint64_t>()};
        for (const auto& provider : order->providers) {
          f.plan.add_peer(provider.id);
          f.providers.emplace(provider.id, provider);
        }
        auto answer = f.answer;
        self->state.fetches.push_back(std::move(f));
        pump(self, *office);
        return answer;
      },
      [=](chunk_atom, const chunk_delivery_ptr& d) {
        if (d->what == chunk_delivery::kind::request) {
          answer_request(store, *office, *d);
          return;
        }
        if (d->what == chunk_delivery::kind::content) {
          take_content(self, store, *d);
        } else {
          for (auto& f : self->state.fetches)
            f.plan.on_failed(d->from, d->name, {errc::not_found, d->text}, self->clock().now());
        }
        pump(self, *office);
      },
      [=](caf::tick_atom) {
        self->state.timer.reset();
        for (auto& f : self->state.fetches) f.plan.tick(self->clock().now());
        pump(self, *office);
      },
  };
}

std::shared_ptr<const chunk_delivery> decode_chunk_message(const incarnation& from,
                                                           message&& content) {
  auto d = std::make_shared<chunk_delivery>();
  d->from = from;
  if (content.metadata.size() < d->name.bytes.size()) return nullptr;
  std::memcpy(d->name.bytes.data(), content.metadata.data(), d->name.bytes.size());
  switch (static_cast<link_kind>(content.kind)) {
  case link_kind::chunk_request:
    d->what = chunk_delivery::kind::request;
    return d;
  case link_kind::chunk:
    if (content.tensors.size() != 1 ||
        content.tensors[0].bytes_owner()->size() != content.tensors[0].byte_size())
      return nullptr;
    d->what = chunk_delivery::kind::content;
    d->bytes = content.tensors[0].bytes_owner();
    return d;
  case link_kind::chunk_missing:
    d->what = chunk_delivery::kind::missing;
    d->text = text_of(byte_span(content.metadata).subspan(d->name.bytes.size()));
    return d;
  case link_kind::part:
    break;
  }
  return nullptr;
}

} // namespace shoal
