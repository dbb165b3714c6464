#pragma once

#include "runtime/base/result.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal {

/// An option whose words `parse` turns into `target`, which outlives the command. What it refuses
/// is wrong usage.
template <class Target, class T>
CLI::Option* add_parsed_option(CLI::App& command, const std::string& name, Target& target,
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

/// An option whose words stand for values.
template <class Target, class T>
CLI::Option* add_word_option(CLI::App& command, const std::string& name, Target& target,
                             const std::vector<std::pair<std::string, T>>& words,
                             const std::string& help) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i)
    list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i].first;
  return command
      .add_option_function<std::string>(
          name,
          [name, &target, words, list](const std::string& given) {
            for (const auto& [word, value] : words)
              if (word == given) {
                target = value;
                return;
              }
            throw CLI::ValidationError(name, "expected " + list + ", got '" + given + "'");
          },
          help)
      ->type_name("WORD");
}

} // namespace shoal
