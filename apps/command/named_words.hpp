#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// What the user says of one input or output: "NAME=WORDS", or "WORDS" where the name is clear.
struct named_words {
  std::string name; ///< empty: not given
  std::string words;
};

/// Cuts at the first '='; "=WORDS" is how words that contain one go without a name.
named_words split_named(std::string_view text);

/// Per input of the model, in its order, what `arguments` say of it. `invalid_argument` for a name
/// that the model has not, for one given twice, and for words without a name where the model has
/// several inputs. `option` is what the errors call the flag, as in "--input".
result<std::vector<std::optional<std::string>>>
assign_to_inputs(const graph& model, const std::vector<std::string>& arguments,
                 std::string_view option);

/// The names of all inputs, quoted: "'a', 'b'".
std::string input_names(const graph& model);

/// "1x3x224x224"; "" is a scalar.
result<shape> parse_shape(std::string_view text);

} // namespace shoal
