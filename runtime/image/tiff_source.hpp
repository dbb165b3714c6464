#pragma once

#include "runtime/base/file.hpp"
#include "runtime/image/image_source.hpp"

namespace shoal {

/// Windows of the first picture of a TIFF. Rows of uncompressed strips are read as they are,
/// however large the strips; tiles and compressed strips are decoded whole, and the last ones used
/// are kept as far as the limit goes.
result<std::unique_ptr<image_source>> open_tiff_source(input_file file,
                                                       const image_source_limits& limits);

} // namespace shoal
