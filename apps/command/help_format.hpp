#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace shoal {

/// Help texts that say what an option takes in the reader's words, not in those of the parser:
/// "1..64" for "INT:INT in [1 - 64]".
class help_format : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
};

} // namespace shoal
