#include "apps/builtin/builtin.hpp"

extern "C" {
extern const std::byte shoal_builtin_model[];
extern const std::byte shoal_builtin_model_end[];
extern const std::byte shoal_builtin_photo[];
extern const std::byte shoal_builtin_photo_end[];
}

namespace shoal {

byte_span builtin_model() {
  return {shoal_builtin_model, shoal_builtin_model_end};
}

byte_span builtin_photo() {
  return {shoal_builtin_photo, shoal_builtin_photo_end};
}

} // namespace shoal
