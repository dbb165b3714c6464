#pragma once

#include "runtime/image/image_sink.hpp"

namespace shoal {

/// An uncompressed TIFF, or BigTIFF from 4 GiB on. Windows may come in any order: each is written
/// to its place at once. From now on the file is a whole TIFF, black where nothing was written yet.
///
/// With a key, `<path>.progress` lists the windows that are on the disk until `finish` removes it.
/// What neither agrees with the key, the extent and the size of the file nor looks like a journal
/// starts over.
result<std::unique_ptr<image_sink>> create_tiff_sink(const std::filesystem::path& path,
                                                     const image_extent& extent,
                                                     const image_sink_options& options);

} // namespace shoal
