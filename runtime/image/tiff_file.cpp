#include "runtime/image/tiff_file.hpp"

#include "runtime/base/fail.hpp"

#include <tiffio.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string_view>

namespace shoal {
namespace {

constexpr std::uint64_t table_bytes = 1 << 20; // what decoders take whatever the size of blocks

} // namespace

/// What libtiff calls; `self` is the tiff_file.
struct tiff_file::callbacks {
  static tiff_file& of(thandle_t self) { return *static_cast<tiff_file*>(self); }

  static tmsize_t read(thandle_t self, void* into, tmsize_t size) {
    auto& file = of(self);
    if (size <= 0 || file.position_ >= file.file_.size()) return 0;
    const auto left = file.file_.size() - file.position_;
    const auto part = static_cast<std::size_t>(std::min(left, static_cast<std::uint64_t>(size)));
    const mutable_byte_span to(static_cast<std::byte*>(into), part);
    if (auto got = file.file_.read_at(file.position_, to); !got) {
      if (!file.failure_) file.failure_ = std::move(got).error();
      return 0;
    }
    file.position_ += part;
    return static_cast<tmsize_t>(part);
  }

  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }

  static toff_t seek(thandle_t self, toff_t offset, int whence) {
    auto& file = of(self);
    file.position_ = whence == SEEK_CUR   ? file.position_ + offset
                     : whence == SEEK_END ? file.file_.size() + offset
                                          : offset;
    return file.position_;
  }

  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t self) { return of(self).file_.size(); }

  static void keep(void* self, const char* module, const char* format, std::va_list arguments) {
    auto& message = of(self).message_;
    if (!message.empty()) return; // what follows is a consequence
    char text[256];
    if (std::vsnprintf(text, sizeof text, format, arguments) < 0) text[0] = '\0';
    message = fmt::format("{}: {}", module == nullptr ? "libtiff" : module, text);
  }

  static int on_error(TIFF*, void* self, const char* module, const char* format,
                      std::va_list arguments) {
    keep(self, module, format, arguments);
    return 1; // nothing is printed
  }

  /// Warnings are about tags that do not change the pixels; but those of the JPEG decoder are about
  /// pixels that it makes up.
  static int on_warning(TIFF*, void* self, const char* module, const char* format,
                        std::va_list arguments) {
    if (module != nullptr && std::string_view(module).starts_with("JPEG"))
      keep(self, module, format, arguments);
    return 1;
  }
};

result<std::unique_ptr<tiff_file>> tiff_file::open(input_file file, std::uint64_t max_bytes) {
  std::unique_ptr<tiff_file> opened(new tiff_file(std::move(file)));
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<tmsize_t>::max());
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) return fail(errc::resource_exhausted, "no memory to read a TIFF");
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      options, static_cast<tmsize_t>(std::min(max_bytes, most - table_bytes) + table_bytes));
  TIFFOpenOptionsSetErrorHandlerExtR(options, callbacks::on_error, opened.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options, callbacks::on_warning, opened.get());
  // m: no mapping; c: one strip stays one strip.
  opened->handle_ = TIFFClientOpenExt("TIFF", "rmc", opened.get(), callbacks::read,
                                      callbacks::write, callbacks::seek, callbacks::close,
                                      callbacks::size, nullptr, nullptr, options);
  TIFFOpenOptionsFree(options);
  if (opened->handle_ == nullptr) return opened->take_error("no directory of a picture");
  opened->message_.clear();
  return opened;
}

tiff_file::~tiff_file() {
  if (handle_ != nullptr) TIFFClose(handle_);
}

error tiff_file::take_error(const char* otherwise) {
  const std::string message = std::exchange(message_, {});
  if (auto failure = std::exchange(failure_, {})) return *std::move(failure);
  return fail(errc::malformed, "TIFF: {}", message.empty() ? otherwise : message);
}

} // namespace shoal
