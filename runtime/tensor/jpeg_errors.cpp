#include "runtime/tensor/jpeg_errors.hpp"

#include <jerror.h>

namespace shoal {
namespace {

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<jpeg_errors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)
    on_error(info);
}

} // namespace

void install(jpeg_errors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
}

} // namespace shoal
