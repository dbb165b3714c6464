#include "runtime/plan/partitioner.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

using namespace shoal;

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

struct instance {
  model_costs costs;
  std::vector<device_profile> devices;
  link_table links;
  partition_options options;
};

/// Tries every sequence of distinct devices with every cut; computes each cost by a plain loop.
class brute_force {
 public:
  explicit brute_force(const instance& given) : in_(given), used_(given.devices.size(), false) {}

  double bottleneck() {
    minimise_latency_ = false;
    return run();
  }
  double latency(double limit) {
    minimise_latency_ = true;
    limit_ = limit;
    return run();
  }

 private:
  double run() {
    best_ = never;
    extend(0, in_.options.source_node, 0, 0, 0);
    return best_;
  }

  double link(std::optional<std::size_t> from, std::optional<std::size_t> to,
              std::size_t cut) const {
    if (!from || !to) return 0;
    const auto profile = in_.links.between(*from, *to);
    return profile.latency_s + static_cast<double>(in_.costs.cut_bytes[cut]) / profile.bytes_per_s;
  }

  double seconds(std::size_t device, std::size_t first, std::size_t last) const {
    const auto& profile = in_.devices[device];
    for (const auto& segment : profile.segments)
      if (segment.first == first && segment.last == last) return segment.seconds;
    double sum = 0;
    for (auto i = first; i < last; ++i)
      sum += profile.layer_seconds.empty() ? in_.costs.layers[i].seconds / profile.speed
                                           : profile.layer_seconds[i];
    return sum;
  }

  bool fits(std::size_t device, std::size_t first, std::size_t last) const {
    std::uint64_t parameters = 0;
    std::uint64_t peak = 0;
    for (auto i = first; i < last; ++i) {
      parameters += in_.costs.layers[i].parameter_bytes;
      peak = std::max(peak, in_.costs.layers[i].activation_bytes);
    }
    const auto queued =
        in_.options.queue_slots * (in_.costs.cut_bytes[first] + in_.costs.cut_bytes[last]);
    return parameters + peak + queued <= in_.devices[device].memory_bytes;
  }

  void extend(std::size_t from, std::optional<std::size_t> node, std::size_t stages, double slowest,
              double sum) {
    const auto n = in_.costs.layers.size();
    if (from == n) {
      if (in_.options.stages && stages != *in_.options.stages) return;
      const auto out = link(node, in_.options.sink_node, n);
      slowest = std::max(slowest, out);
      if (!minimise_latency_)
        best_ = std::min(best_, slowest);
      else if (slowest <= limit_)
        best_ = std::min(best_, sum + out);
      return;
    }
    for (std::size_t d = 0; d < in_.devices.size(); ++d) {
      if (used_[d]) continue;
      const auto in = link(node, in_.devices[d].node, from);
      for (auto to = from + 1; to <= n; ++to) {
        if (to < n && !in_.costs.cut_forbidden.empty() && in_.costs.cut_forbidden[to]) continue;
        if (!fits(d, from, to)) continue;
        const auto t = seconds(d, from, to);
        used_[d] = true;
        extend(to, in_.devices[d].node, stages + 1, std::max({slowest, in, t}), sum + in + t);
        used_[d] = false;
      }
    }
  }

  const instance& in_;
  std::vector<bool> used_;
  bool minimise_latency_ = false;
  double limit_ = never;
  double best_ = never;
};

instance random_instance(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto real = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
  };
  instance in;
  const auto layers = 1 + below(7);
  const bool whole_numbers = below(3) == 0; // many ties
  for (std::uint64_t i = 0; i < layers; ++i)
    in.costs.layers.push_back({fmt::format("layer{}", i), "Conv", below(100), below(1000),
                               whole_numbers ? 0.1 * static_cast<double>(below(4)) : real(0, 1),
                               below(50)});
  for (std::uint64_t i = 0; i <= layers; ++i) in.costs.cut_bytes.push_back(below(100));
  if (below(2) == 0)
    for (std::uint64_t i = 0; i <= layers; ++i) in.costs.cut_forbidden.push_back(below(4) == 0);
  const auto devices = 1 + below(4);
  const bool alike = below(3) == 0;
  for (std::uint64_t d = 0; d < devices; ++d) {
    device_profile device{fmt::format("device{}", d)};
    device.node = below(3) == 0 && d > 0 ? d - 1 : d;
    if (!alike) device.speed = whole_numbers ? static_cast<double>(1 + below(3)) : real(0.2, 3);
    if (below(2) == 0) device.memory_bytes = 100 + below(500);
    if (below(5) == 0)
      for (std::uint64_t i = 0; i < layers; ++i) device.layer_seconds.push_back(real(0, 1));
    if (below(4) == 0) {
      const auto first = below(layers);
      device.segments.push_back({first, first + 1 + below(layers - first), real(0, 1)});
    }
    in.devices.push_back(device);
  }
  const auto random_link = [&] { return link_profile{real(0, 0.2), real(50, 1000)}; };
  if (below(2) == 0) in.links = link_table(random_link());
  for (std::uint64_t i = below(5); i > 0; --i)
    in.links.set(below(devices + 2), below(devices + 2), random_link());
  if (below(3) == 0) in.links.set_within(random_link());
  if (below(2) == 0) in.options.source_node = below(devices + 2);
  if (below(2) == 0) in.options.sink_node = below(devices + 2);
  if (below(3) == 0) in.options.stages = 1 + below(devices + 1);
  in.options.queue_slots = below(3);
  in.options.latency_slack = std::array<double, 4>{0, 0.01, 0.1, 0.5}[below(4)];
  return in;
}

void check_sound(const execution_plan& plan, const instance& in) {
  std::size_t at = 0;
  std::set<std::size_t> used;
  for (const auto& stage : plan.stages) {
    CHECK(stage.first_layer == at);
    CHECK(stage.last_layer > stage.first_layer);
    at = stage.last_layer;
    CHECK(used.insert(stage.device).second);
    CHECK(stage.memory_bytes <= in.devices[stage.device].memory_bytes);
    CHECK(stage.expected_seconds <= plan.bottleneck_s);
  }
  CHECK(at == in.costs.layers.size());
  CHECK(plan.stages.size() + plan.idle.size() == in.devices.size());
}

model_costs equal_layers(std::size_t count, double seconds) {
  model_costs costs;
  for (std::size_t i = 0; i < count; ++i)
    costs.layers.push_back({fmt::format("l{}", i), "MatMul", 1000, 2000, seconds, 100});
  costs.cut_bytes.assign(count + 1, 64);
  return costs;
}

} // namespace

TEST_CASE("the partition equals brute force in bottleneck and latency on random instances") {
  int solved = 0;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    CAPTURE(seed);
    const auto in = random_instance(seed);
    const auto model = cost_model::create(in.costs);
    REQUIRE(model);
    brute_force oracle(in);
    const auto bottleneck = oracle.bottleneck();
    const auto plan = partition(*model, in.devices, in.links, in.options);
    if (bottleneck == never) {
      ++refused;
      REQUIRE(!plan);
      const auto code = plan.error().code();
      CHECK((code == errc::resource_exhausted || code == errc::invalid_argument));
      continue;
    }
    ++solved;
    REQUIRE(plan);
    check_sound(*plan, in);
    CHECK(plan->optimal);
    const auto slack = 1 + in.options.latency_slack;
    CHECK(plan->bottleneck_s <= bottleneck * slack * (1 + 1e-8) + 1e-12);
    CHECK(plan->latency_s ==
          doctest::Approx(oracle.latency(bottleneck * slack * (1 + 1e-9))).epsilon(1e-8));
    auto strict = in;
    strict.options.latency_slack = 0;
    const auto fastest = partition(*model, strict.devices, strict.links, strict.options);
    REQUIRE(fastest);
    CHECK(fastest->bottleneck_s == doctest::Approx(bottleneck).epsilon(1e-8));
    if (in.options.stages) CHECK(plan->stages.size() == *in.options.stages);
  }
  CHECK(solved >= 400);
  CHECK(refused >= 50);
}

TEST_CASE("merging devices past the exact limit still gives a sound plan, marked as not optimal") {
  int worse = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    auto in = random_instance(seed);
    const auto model = cost_model::create(in.costs);
    const auto exact = partition(*model, in.devices, in.links, in.options);
    in.options.max_cells = 1;
    const auto merged = partition(*model, in.devices, in.links, in.options);
    if (!merged) continue; // memory and links are taken at their worst: it may refuse
    REQUIRE(exact);
    check_sound(*merged, in);
    const auto slack = 1 + in.options.latency_slack;
    CHECK(merged->bottleneck_s * slack * (1 + 1e-8) + 1e-12 >= exact->bottleneck_s);
    if (!merged->optimal) ++worse;
  }
  CHECK(worse > 20);
}

TEST_CASE("64 equal devices and 500 layers are cut as the classical linear partition is") {
  std::mt19937_64 random(64);
  auto costs = equal_layers(500, 0);
  for (auto& layer : costs.layers) layer.seconds = 1e-3 * static_cast<double>(1 + random() % 1000);
  const auto model = cost_model::create(costs);
  std::vector<device_profile> devices(64);
  for (std::size_t d = 0; d < devices.size(); ++d) devices[d] = {fmt::format("d{}", d)};
  for (std::size_t d = 0; d < devices.size(); ++d) devices[d].node = d;
  const link_table links({1e-4, 1e9});
  const auto plan = partition(*model, devices, links, {.latency_slack = 0});
  REQUIRE(plan);
  CHECK(plan->optimal);

  // The least sum that a greedy filling of 64 bins in order keeps to.
  const auto bins = [&](double limit) {
    std::size_t count = 1;
    double sum = 0;
    for (const auto& layer : costs.layers) {
      if (sum + layer.seconds > limit) ++count, sum = 0;
      sum += layer.seconds;
    }
    return count;
  };
  double low = 1;
  double high = 1000;
  while (high - low > 1e-9) {
    const auto middle = (low + high) / 2;
    (bins(middle) <= 64 ? high : low) = middle;
  }
  CHECK(plan->bottleneck_s == doctest::Approx(high).epsilon(1e-6));
}

TEST_CASE("many unlike devices are handled by merging, and beat every single device") {
  const auto model = cost_model::create(equal_layers(200, 0.01));
  std::mt19937_64 random(40);
  std::vector<device_profile> devices(40);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    devices[d].name = fmt::format("d{}", d);
    devices[d].node = d;
    devices[d].speed = 0.5 + static_cast<double>(random() % 1000) / 500;
  }
  const auto plan = partition(*model, devices, link_table({1e-4, 1e9}));
  REQUIRE(plan);
  CHECK_FALSE(plan->optimal);
  CHECK(plan->stages.size() > 20);
  CHECK(plan->bottleneck_s < 2.0 / 2.5 / 10); // ten times the fastest device alone
}

TEST_CASE("a balanced cut for equal devices gives each the same number of equal layers") {
  const auto model = cost_model::create(equal_layers(20, 0.25));
  const std::vector<device_profile> devices(5);
  const auto plan = partition(*model, devices, {}, {.stages = 5});
  REQUIRE(plan);
  REQUIRE(plan->stages.size() == 5);
  for (const auto& stage : plan->stages) CHECK(stage.last_layer - stage.first_layer == 4);
  for (std::size_t i = 0; i < 5; ++i) CHECK(plan->stages[i].device == i);
  CHECK(plan->throughput() == doctest::Approx(1.0));
  CHECK(plan->batch_seconds(10) == doctest::Approx(5 + 9 * 1.0));
}

TEST_CASE("a device that is listed in shares is busy with all of its stages") {
  const auto model = cost_model::create(equal_layers(10, 1));
  std::vector<device_profile> devices;
  for (std::size_t entry = 0; entry < 6; ++entry) {
    device_profile device{entry % 2 == 0 ? "slow" : "fast"};
    device.speed = entry % 2 == 0 ? 1 : 4;
    device.shares = 3;
    device.unit = device.node = entry % 2;
    devices.push_back(device);
  }
  const auto plan = partition(*model, devices, {}, {.stages = 5, .latency_slack = 0});
  REQUIRE(plan);
  double busy[2] = {0, 0};
  for (const auto& stage : plan->stages) {
    const auto layers = static_cast<double>(stage.last_layer - stage.first_layer);
    CHECK(stage.expected_seconds == doctest::Approx(layers / (stage.unit == 0 ? 1 : 4)));
    busy[stage.unit] += stage.expected_seconds;
  }
  CHECK(plan->bottleneck_s == doctest::Approx(std::max(busy[0], busy[1])));
  CHECK(plan->devices_used() == 2);
  CHECK(plan->idle.empty());
}

TEST_CASE("among cuts within a device the thin ones are taken") {
  auto costs = equal_layers(6, 1);
  costs.cut_bytes = {1, 100, 100, 100, 2, 100, 1};
  const auto model = cost_model::create(costs);
  std::vector<device_profile> devices(2);
  for (auto& device : devices) device.shares = 2, device.unit = 0;
  link_table links;
  links.set_within({0, 1000});
  const auto plan = partition(*model, devices, links, {.stages = 2, .latency_slack = 0.5});
  REQUIRE(plan);
  CHECK(plan->stages[0].last_layer == 4);
  CHECK(plan->latency_s == doctest::Approx(6 + 2.0 / 1000));
}

TEST_CASE("a device that would slow the pipeline gets nothing, and the plan says so") {
  const auto model = cost_model::create(equal_layers(4, 1));
  std::vector<device_profile> devices(3);
  devices[0].name = "fast";
  devices[1].name = "snail";
  devices[1].speed = 0.01;
  devices[2].name = "tiny";
  devices[2].memory_bytes = 10;
  const auto plan = partition(*model, devices, {});
  REQUIRE(plan);
  REQUIRE(plan->stages.size() == 1);
  CHECK(plan->stages[0].device_name == "fast");
  REQUIRE(plan->idle.size() == 2);
  CHECK(plan->idle[0].reason == idle_reason::would_slow);
  CHECK(plan->idle[1].reason == idle_reason::memory);
}

TEST_CASE("a link slower than the compute it saves keeps the model on one device") {
  const auto model = cost_model::create(equal_layers(8, 0.01));
  std::vector<device_profile> devices(2);
  devices[1].node = 1;
  const auto plan = partition(*model, devices, link_table({1.0, 1e6}), {.source_node = 0});
  REQUIRE(plan);
  REQUIRE(plan->stages.size() == 1);
  CHECK(plan->stages[0].device == 0); // where the input is
}

TEST_CASE("a layer too large for every device is named with its bytes and the largest device") {
  auto costs = equal_layers(3, 1);
  costs.layers[1].name = "giant";
  costs.layers[1].parameter_bytes = 1 << 20;
  const auto model = cost_model::create(costs);
  std::vector<device_profile> devices{{"small"}, {"large"}};
  devices[0].memory_bytes = 10'000;
  devices[1].memory_bytes = 20'000;
  const auto plan = partition(*model, devices, {}, {.queue_slots = 0});
  REQUIRE(!plan);
  CHECK(plan.error().code() == errc::resource_exhausted);
  CHECK(plan.error().message() ==
        "layer giant (MatMul) cannot be divided and need 1048676 bytes (1.00 MiB), but the largest "
        "device, large, has 20000 bytes (19.5 KiB)");
}

TEST_CASE("a model too large for all devices together is refused with its total") {
  const auto model = cost_model::create(equal_layers(100, 1));
  std::vector<device_profile> devices(3, {"box"});
  for (auto& device : devices) device.memory_bytes = 20'000;
  const auto plan = partition(*model, devices, {}, {.queue_slots = 0});
  REQUIRE(!plan);
  CHECK(plan.error().code() == errc::resource_exhausted);
  CHECK(plan.error().message().find("100100 bytes") != std::string::npos);
  CHECK(plan.error().message().find("box") != std::string::npos);
}

TEST_CASE("contradicting options and profiles are refused with what was expected") {
  const auto model = cost_model::create(equal_layers(3, 1));
  const std::vector<device_profile> two(2);
  const auto refused = [&](std::span<const device_profile> devices, partition_options options) {
    const auto plan = partition(*model, devices, {}, options);
    return !plan && plan.error().code() == errc::invalid_argument;
  };
  CHECK(refused({}, {}));
  CHECK(refused(two, {.stages = 0}));
  CHECK(refused(two, {.stages = 3}));
  CHECK(refused(std::vector<device_profile>(5), {.stages = 4}));
  CHECK(refused(two, {.latency_slack = -1}));
  auto broken = two;
  broken[1].speed = 0;
  CHECK(refused(broken, {}));
  broken = two;
  broken[0].layer_seconds = {1, 2};
  CHECK(refused(broken, {}));
  broken = two;
  broken[0].segments = {{2, 2, 1}};
  CHECK(refused(broken, {}));
  link_table dead({0, 0});
  CHECK_FALSE(partition(*model, two, dead));
}
