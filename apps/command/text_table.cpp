#include "apps/command/text_table.hpp"

#include "runtime/plan/units.hpp"

#include <algorithm>
#include <cassert>

namespace shoal {

text_table::text_table(std::vector<std::string> heading, std::vector<std::size_t> left_aligned)
    : left_(heading.size(), false) {
  for (const auto column : left_aligned) left_.at(column) = true;
  rows_.push_back(std::move(heading));
}

void text_table::add(std::vector<std::string> row) {
  assert(row.size() == left_.size());
  rows_.push_back(std::move(row));
}

std::string text_table::render() const {
  std::vector<std::size_t> widths(left_.size(), 0);
  for (const auto& row : rows_)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], character_count(row[c]));
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - character_count(row[c]), ' ');
      if (c > 0) line += "  ";
      line += left_[c] ? row[c] + padding : padding + row[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

} // namespace shoal
