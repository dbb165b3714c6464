#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace shoal {

/// Rows of cells as aligned text for a terminal. The first row is the heading.
class text_table {
 public:
  /// `left_aligned`: the columns that are words, not numbers.
  text_table(std::vector<std::string> heading, std::vector<std::size_t> left_aligned);

  void add(std::vector<std::string> row);
  bool empty() const { return rows_.size() == 1; }
  /// Each line ends with a line feed.
  std::string render() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> left_;
};

} // namespace shoal
