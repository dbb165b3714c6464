#include "runtime/schedule/part_key.hpp"

#include <fmt/format.h>

namespace shoal {

std::string to_string(const part_id& id) {
  return fmt::format("request {} part {}", id.request, id.part);
}

} // namespace shoal
