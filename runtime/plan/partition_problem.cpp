#include "runtime/plan/partition_problem.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal {

namespace {

constexpr double max_seconds = 1e9;
constexpr std::size_t max_queue_slots = 1 << 16;

bool is_time(double seconds) {
  return seconds >= 0 && seconds <= max_seconds;
}

result<void> check_device(const cost_model& model, const device_profile& device) {
  const auto n = model.layer_count();
  if (!(device.speed > 0 && std::isfinite(device.speed)))
    return fail(errc::invalid_argument, "device {}: expected a speed above 0, got {}", device.name,
                device.speed);
  if (!device.layer_seconds.empty() && device.layer_seconds.size() != n)
    return fail(errc::invalid_argument, "device {}: expected times of {} layers or none, got {}",
                device.name, n, device.layer_seconds.size());
  if (device.shares == 0)
    return fail(errc::invalid_argument, "device {}: expected at least 1 share, got 0", device.name);
  for (const double seconds : device.layer_seconds)
    if (!is_time(seconds))
      return fail(errc::invalid_argument, "device {}: {} s is not a time", device.name, seconds);
  for (const auto& segment : device.segments)
    if (segment.first >= segment.last || segment.last > n || !is_time(segment.seconds))
      return fail(errc::invalid_argument,
                  "device {}: a measurement of layers [{}, {}) with {} s does not fit {} layers",
                  device.name, segment.first, segment.last, segment.seconds, n);
  return {};
}

result<void> check_link(const link_profile& link) {
  if (is_time(link.latency_s) && link.bytes_per_s > 0) return {};
  return fail(errc::invalid_argument, "a link of {} s and {} bytes/s is not possible",
              link.latency_s, link.bytes_per_s);
}

result<void> check_options(const cost_model& model, std::size_t devices,
                           const partition_options& options) {
  if (!(options.latency_slack >= 0 && options.latency_slack <= 1e6))
    return fail(errc::invalid_argument, "expected a latency slack of at least 0, got {}",
                options.latency_slack);
  if (options.queue_slots > max_queue_slots)
    return fail(errc::invalid_argument, "expected at most {} queue slots, got {}", max_queue_slots,
                options.queue_slots);
  if (!options.stages) return {};
  const auto wanted = *options.stages;
  if (wanted == 0) return fail(errc::invalid_argument, "expected at least 1 stage, got 0");
  if (wanted > devices)
    return fail(errc::invalid_argument, "{} stages need as many devices, got {}", wanted, devices);
  if (wanted > model.cuts().size() - 1)
    return fail(errc::invalid_argument, "the model can be cut into at most {} stages, not {}",
                model.cuts().size() - 1, wanted);
  return {};
}

bool same_profile(const device_profile& a, const device_profile& b) {
  return a.speed == b.speed && a.shares == b.shares && a.layer_seconds == b.layer_seconds &&
         a.segments == b.segments;
}

link_profile worse(const link_profile& a, const link_profile& b) {
  return {std::max(a.latency_s, b.latency_s), std::min(a.bytes_per_s, b.bytes_per_s)};
}

/// Whether exchanging the two devices leaves all links as they are. Being exchangeable is an
/// equivalence, so it is enough to ask about one member of a type.
bool exchangeable(std::size_t a, std::size_t b, std::span<const device_profile> devices,
                  const link_table& links, const partition_options& options) {
  const auto node_a = devices[a].node;
  const auto node_b = devices[b].node;
  const auto alike = [&](std::size_t other) {
    return links.between(node_a, other) == links.between(node_b, other) &&
           links.between(other, node_a) == links.between(other, node_b);
  };
  if (node_a == node_b) return true;
  if (links.between(node_a, node_b) != links.between(node_b, node_a)) return false;
  if (options.source_node && !alike(*options.source_node)) return false;
  if (options.sink_node && !alike(*options.sink_node)) return false;
  for (std::size_t c = 0; c < devices.size(); ++c)
    if (c != a && c != b && !alike(devices[c].node)) return false;
  return true;
}

/// (Sets of devices) × (types) × (cuts), as a floating number because it may be astronomic.
double cells(const std::vector<device_type>& types, std::size_t cuts) {
  double count = static_cast<double>(types.size()) * static_cast<double>(cuts);
  for (const auto& type : types) count *= static_cast<double>(type.devices.size() + 1);
  return count;
}

} // namespace

segment_times::segment_times(const cost_model& model, const device_profile& device) {
  const auto& cuts = model.cuts();
  const auto shares = static_cast<double>(device.shares);
  std::vector<double> own(1, 0.0); // prefix sums of the device's own layer times
  for (const double seconds : device.layer_seconds) own.push_back(own.back() + seconds);
  std::map<std::size_t, std::size_t> position_of;
  for (const auto cut : cuts) {
    position_of[cut] = prefix_.size();
    prefix_.push_back(shares * (device.layer_seconds.empty()
                                    ? model.segment(0, cut).seconds / device.speed
                                    : own[cut]));
  }
  for (const auto& segment : device.segments) {
    const auto from = position_of.find(segment.first);
    const auto to = position_of.find(segment.last);
    if (from != position_of.end() && to != position_of.end())
      measured_[{from->second, to->second}] = shares * segment.seconds;
  }
}

segment_times segment_times::worst(const segment_times& a, const segment_times& b) {
  auto both = a;
  for (std::size_t i = 1; i < both.prefix_.size(); ++i)
    both.prefix_[i] = both.prefix_[i - 1] +
                      std::max(a.prefix_[i] - a.prefix_[i - 1], b.prefix_[i] - b.prefix_[i - 1]);
  for (const auto* one : {&a, &b})
    for (const auto& [ends, seconds] : one->measured_)
      both.measured_[ends] = std::max(a(ends.first, ends.second), b(ends.first, ends.second));
  return both;
}

partition_problem::partition_problem(const cost_model& model, const partition_options& options)
    : model_(&model), options_(options), cuts_(model.cuts()) {
  for (const auto cut : cuts_) bytes_.push_back(model.cut_bytes(cut));
}

result<partition_problem> partition_problem::create(const cost_model& model,
                                                    std::span<const device_profile> devices,
                                                    const link_table& links,
                                                    const partition_options& options) {
  if (devices.empty()) return fail(errc::invalid_argument, "no device to place the model on");
  if (devices.size() > max_devices)
    return fail(errc::resource_exhausted, "expected at most {} devices, got {}", max_devices,
                devices.size());
  for (const auto& device : devices) SHOAL_CHECK(check_device(model, device));
  SHOAL_CHECK(check_link(links.by_default()));
  SHOAL_CHECK(check_link(links.within()));
  for (const auto& [ends, link] : links.exceptions()) SHOAL_CHECK(check_link(link));
  SHOAL_CHECK(check_options(model, devices.size(), options));

  partition_problem problem(model, options);
  for (const auto& device : devices) problem.times_.emplace_back(model, device);
  problem.find_types(devices, links);
  problem.merge_types();
  problem.find_links(devices, links);
  return problem;
}

std::uint64_t partition_problem::memory(std::size_t from, std::size_t to) const {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  const auto cost = model_->segment(cuts_[from], cuts_[to]);
  const auto fixed = cost.parameter_bytes + cost.activation_bytes; // each is below 2^60
  const auto queued = bytes_[from] + bytes_[to];
  const auto slots = options_.queue_slots;
  if (slots != 0 && queued > (most - fixed) / slots) return most;
  return fixed + slots * queued;
}

void partition_problem::find_types(std::span<const device_profile> devices,
                                   const link_table& links) {
  for (std::size_t d = 0; d < devices.size(); ++d) {
    const auto same = std::find_if(types_.begin(), types_.end(), [&](const device_type& type) {
      const auto first = type.devices.front();
      return type.memory_bytes == devices[d].memory_bytes &&
             same_profile(devices[first], devices[d]) &&
             exchangeable(first, d, devices, links, options_);
    });
    if (same == types_.end())
      types_.push_back({{d}, devices[d].memory_bytes, times_[d]});
    else
      same->devices.push_back(d);
  }
}

void partition_problem::merge_types() {
  const auto end = last_position();
  const auto need = std::max<std::uint64_t>(memory(0, end), 1);
  const auto distance = [&](std::size_t a, std::size_t b) {
    const auto ratio = [](double x, double y) {
      return std::abs(std::log(std::max(x, 1e-12) / std::max(y, 1e-12)));
    };
    // Memory beyond the model's need makes no difference.
    const auto room = [&](std::size_t type) {
      return static_cast<double>(std::min(types_[type].memory_bytes, need));
    };
    return ratio(seconds(a, 0, end), seconds(b, 0, end)) + ratio(room(a), room(b));
  };
  while (types_.size() > 1 &&
         cells(types_, cuts_.size()) > static_cast<double>(options_.max_cells)) {
    exact_ = false;
    std::size_t best_a = 0;
    std::size_t best_b = 1;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t a = 0; a < types_.size(); ++a)
      for (std::size_t b = a + 1; b < types_.size(); ++b)
        if (const auto d = distance(a, b); d < best) best = d, best_a = a, best_b = b;
    auto& kept = types_[best_a];
    const auto& gone = types_[best_b];
    kept.merged = true;
    kept.times = segment_times::worst(kept.times, gone.times);
    kept.devices.insert(kept.devices.end(), gone.devices.begin(), gone.devices.end());
    std::sort(kept.devices.begin(), kept.devices.end());
    kept.memory_bytes = std::min(kept.memory_bytes, gone.memory_bytes);
    types_.erase(types_.begin() + static_cast<std::ptrdiff_t>(best_b));
  }
}

void partition_problem::find_links(std::span<const device_profile> devices,
                                   const link_table& links) {
  const auto count = types_.size();
  links_between_.resize(count * count);
  sources_.resize(count);
  sinks_.resize(count);
  for (std::size_t a = 0; a < count; ++a)
    for (const auto from : types_[a].devices) {
      const auto node = devices[from].node;
      if (options_.source_node)
        sources_[a] = worse(sources_[a], links.between(*options_.source_node, node));
      if (options_.sink_node)
        sinks_[a] = worse(sinks_[a], links.between(node, *options_.sink_node));
      for (std::size_t b = 0; b < count; ++b)
        for (const auto to : types_[b].devices)
          if (from != to) {
            auto& link = links_between_[a * count + b];
            link = worse(link, links.between(node, devices[to].node));
          }
    }
}

} // namespace shoal
