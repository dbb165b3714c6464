#include "apps/command/sample_folder.hpp"

#include "apps/command/input_flags.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>

namespace shoal {
namespace {

constexpr std::size_t most_samples = 100'000;

result<std::vector<std::filesystem::path>> entries_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> entries;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().filename().string().starts_with(".")) continue;
    entries.push_back(at->path());
    if (entries.size() > most_samples)
      return fail(errc::resource_exhausted, "{} has more than {} files", folder.string(),
                  most_samples);
  }
  if (failed)
    return fail(failed == std::errc::no_such_file_or_directory ? errc::not_found : errc::io,
                "cannot read the folder {}: {}", folder.string(), failed.message());
  std::ranges::sort(entries);
  return entries;
}

} // namespace

result<std::vector<model_sample>> read_samples(const std::filesystem::path& folder,
                                               const graph& model, const image_flags& pictures) {
  SHOAL_TRY(const auto entries, entries_of(folder));
  std::vector<model_sample> samples;
  for (const auto& entry : entries) {
    input_flags flags;
    flags.pictures = pictures;
    if (model.inputs().size() == 1) {
      flags.files.push_back("=" + entry.string());
    } else {
      SHOAL_TRY(const auto files, entries_of(entry));
      for (const auto& file : files)
        flags.files.push_back(file.stem().string() + "=" + file.string());
    }
    auto sample = flags.read(model);
    if (!sample) return std::move(sample).error().within(entry.string());
    samples.push_back(*std::move(sample));
  }
  if (samples.empty())
    return fail(errc::invalid_argument, "the folder {} holds no inputs", folder.string());
  return samples;
}

} // namespace shoal
