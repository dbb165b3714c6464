#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace shoal {

/// Processors that this process may use.
int usable_cores();

/// Bytes of memory that can be had now without swapping: what the kernel says is available, or what
/// the control group of this process still allows, if that is less. 1 GiB when neither can be read.
std::uint64_t available_memory();

/// The name of this machine, or "localhost".
std::string host_name();

/// Where what is fetched is kept unless told otherwise: $XDG_CACHE_HOME/shoal, ~/.cache/shoal, or
/// a folder of this user's in the system's temporary folder.
std::filesystem::path default_cache_folder();

/// This program's own executable file; empty when the system does not tell.
std::filesystem::path own_executable();

} // namespace shoal
