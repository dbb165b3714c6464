#pragma once

#include <csetjmp>

// jpeglib.h needs what the other declares.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

namespace shoal {

/// What libjpeg is told to do on errors: it jumps to `jump`, with the text in `message`, and prints
/// nothing. Functions that call setjmp own nothing and have only parameters and trivial locals:
/// whatever has a destructor lives in their callers.
struct jpeg_errors {
  jpeg_error_mgr manager{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
};

/// Pixels that libjpeg would make up because data are missing are an error, too.
void install(jpeg_errors& errors);

} // namespace shoal
