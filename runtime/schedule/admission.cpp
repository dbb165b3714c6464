#include "runtime/schedule/admission.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>

namespace shoal {

double predicted_seconds(const route_load& load, std::size_t parts) {
  if (load.latency_s <= 0) return 0;
  const auto overlapped = load.stages > 0 ? load.stages - 1 : 0;
  const auto ahead = load.waiting + (load.in_flight > overlapped ? load.in_flight - overlapped : 0);
  const auto own = parts > 0 ? parts - 1 : 0; // the first part is the latency
  return load.latency_s + load.interval_s * static_cast<double>(ahead + own);
}

admission_decision admit(const route_load& load, std::size_t parts, instant deadline, instant now) {
  const auto milliseconds = [](time_span span) {
    return std::chrono::ceil<std::chrono::milliseconds>(span);
  };
  if (deadline <= now)
    return {fail(errc::deadline_exceeded, "the deadline passed {} ms ago",
                 milliseconds(now - deadline).count()),
            {},
            now};
  const auto span = from_seconds(predicted_seconds(load, parts));
  const auto finish = now + span;
  if (finish <= deadline) return {{}, {}, finish};
  const auto late = milliseconds(finish - deadline);
  return {
      fail(errc::deadline_exceeded,
           "would take {} ms, with {} parts waiting and {} in flight, but the deadline is in {} "
           "ms: try again after {} ms",
           milliseconds(span).count(), load.waiting, load.in_flight,
           milliseconds(deadline - now).count(), late.count()),
      late, finish};
}

} // namespace shoal
