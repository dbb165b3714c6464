#include "runtime/base/error.hpp"

namespace shoal {

std::string_view to_string(errc code) {
  switch (code) {
  case errc::invalid_argument:
    return "invalid argument";
  case errc::malformed:
    return "malformed";
  case errc::unsupported:
    return "unsupported";
  case errc::not_found:
    return "not found";
  case errc::resource_exhausted:
    return "resource exhausted";
  case errc::deadline_exceeded:
    return "deadline exceeded";
  case errc::unavailable:
    return "unavailable";
  case errc::cancelled:
    return "cancelled";
  case errc::stale:
    return "stale";
  case errc::poisoned:
    return "poisoned";
  case errc::version_mismatch:
    return "version mismatch";
  case errc::io:
    return "i/o error";
  case errc::internal:
    return "internal error";
  case errc::needs_values:
    return "needs values";
  }
  return "unknown error";
}

error error::within(std::string_view where) const& {
  return error(*this).within(where);
}

error error::within(std::string_view where) && {
  message_.insert(0, std::string(where) + ": ");
  return std::move(*this);
}

std::string to_string(const error& failure) {
  return std::string(to_string(failure.code())) + ": " + failure.message();
}

} // namespace shoal
