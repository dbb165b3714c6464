#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace shoal {

/// How chunks lie on disk: ROOT/ab/cdef…, the 64 hex digits of the digest split after two. Files
/// and folders of any other name are not ours and are left alone.
std::filesystem::path chunk_path(const std::filesystem::path& root, const digest& name);

/// A chunk file as a scan finds it.
struct stored_chunk {
  digest name;
  std::uint64_t bytes = 0;
  std::int64_t used_ns = 0; ///< time of last use since 1970: the file's access time
};

/// Every chunk file below `root`, links not followed, in no particular order. Deletes what other
/// writers left unfinished more than an hour ago. Files that vanish meanwhile are left out.
result<std::vector<stored_chunk>> scan_chunks(const std::filesystem::path& root);

} // namespace shoal
