#pragma once

#include "runtime/image/image_sink.hpp"

namespace shoal {

/// A PNG whose rows are compressed as soon as they are complete; the others wait in memory. The
/// file appears when it is finished. At most 1 000 000 pixels each way, which is what libpng and
/// most readers accept: more is `unsupported`. A key is ignored: a PNG cannot be resumed.
result<std::unique_ptr<image_sink>> create_png_sink(const std::filesystem::path& path,
                                                    const image_extent& extent,
                                                    const image_sink_options& options);

} // namespace shoal
