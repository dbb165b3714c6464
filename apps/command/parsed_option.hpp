#pragma once

#include "runtime/base/result.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace shoal {

/// An option whose words `parse` turns into `target`, which outlives the command. What it refuses
/// is wrong usage.
template <class T>
CLI::Option* add_parsed_option(CLI::App& command, const std::string& name, T& target,
                               result<T> (*parse)(std::string_view), const std::string& help) {
  return command.add_option_function<std::string>(
      name,
      [name, &target, parse](const std::string& words) {
        auto value = parse(words);
        if (!value) throw CLI::ValidationError(name, value.error().message());
        target = *std::move(value);
      },
      help);
}

} // namespace shoal
