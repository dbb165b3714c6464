#include "runtime/operators/einsum_equation.hpp"

#include "runtime/operators/arguments.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

namespace shoal {
namespace {

using arguments::refuse;

/// A letter, or the k-th axis from the right of an ellipsis as -1 - k: so they sort as the output
/// has them that is not stated.
using symbol = int;
using term = std::vector<symbol>;

/// A term as it is written: its letters, and where among them three dots stand.
struct written_term {
  std::string letters;
  std::optional<std::size_t> ellipsis;
};

result<written_term> read_term(const node_context& c, std::string_view text) {
  written_term t;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char at = text[i];
    if (at == ' ') continue;
    if (std::isalpha(static_cast<unsigned char>(at)) != 0) {
      t.letters += at;
    } else if (text.substr(i, 3) == "..." && !t.ellipsis) {
      t.ellipsis = t.letters.size();
      i += 2;
    } else {
      return refuse(c, errc::malformed, "the equation has a term '{}'", text);
    }
  }
  return t;
}

/// The term with `dots` axes in place of its ellipsis.
term spelled_out(const written_term& written, int dots) {
  term t(written.letters.begin(), written.letters.end());
  if (written.ellipsis)
    for (int k = 0; k < dots; ++k)
      t.insert(t.begin() + static_cast<std::ptrdiff_t>(*written.ellipsis), -1 - k);
  return t;
}

/// One term per input, from the left side of the equation.
result<std::vector<term>> read_inputs(const node_context& c, std::string_view left, int& dots) {
  std::vector<term> terms;
  for (std::size_t i = 0;; ++i) {
    const auto comma = left.find(',');
    SHOAL_TRY(const auto written, read_term(c, left.substr(0, comma)));
    if (i == c.inputs.size())
      return refuse(c, errc::malformed, "the equation has more terms than there are inputs");
    const int own = c.dims(i).rank() - static_cast<int>(written.letters.size());
    if (own < 0 || (own > 0 && !written.ellipsis))
      return refuse(c, errc::invalid_argument, "input {} is {}, which the term '{}' does not fit",
                    i, to_string(c.inputs[i].type), left.substr(0, comma));
    terms.push_back(spelled_out(written, own));
    dots = std::max(dots, own);
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (terms.size() != c.inputs.size())
    return refuse(c, errc::malformed, "the equation has {} terms for {} inputs", terms.size(),
                  c.inputs.size());
  return terms;
}

/// The output that goes without saying: an ellipsis, then the letters that occur once, sorted.
term implied_output(const std::vector<term>& inputs, int dots) {
  std::map<symbol, int> uses;
  for (const auto& t : inputs)
    for (const auto s : t) ++uses[s];
  term out;
  for (int k = dots; k-- > 0;) out.push_back(-1 - k);
  for (const auto& [s, count] : uses)
    if (s >= 0 && count == 1) out.push_back(s);
  return out;
}

/// An ellipsis that it lacks is summed over, as PyTorch has it.
result<term> read_output(const node_context& c, std::string_view right, int dots) {
  SHOAL_TRY(const auto written, read_term(c, right));
  const auto out = spelled_out(written, dots);
  auto sorted = out;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return refuse(c, errc::malformed, "the output of the equation, '{}', names an axis twice",
                  right);
  return out;
}

result<std::map<symbol, std::int64_t>> read_extents(const node_context& c,
                                                    const std::vector<term>& inputs) {
  std::map<symbol, std::int64_t> extents;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t axis = 0; axis < inputs[i].size(); ++axis) {
      const auto own = c.dims(i)[static_cast<int>(axis)];
      auto& all = extents.emplace(inputs[i][axis], own).first->second;
      if (all != own && all != 1 && own != 1)
        return refuse(c, errc::invalid_argument,
                      "axis {} of input {}, {}, does not fit another of the same label, of {}",
                      axis, i, to_string(c.dims(i)), all);
      if (all == 1) all = own;
    }
  return extents;
}

} // namespace

shape einsum_equation::output() const {
  return shape(std::span(loops.extent).first(loops.output_labels));
}

result<einsum_equation> read_einsum_equation(const node_context& c) {
  const auto text = c.attrs().get_string("equation", "");
  const auto arrow = text.find("->");
  int dots = 0;
  SHOAL_TRY(const auto terms, read_inputs(c, text.substr(0, arrow), dots));
  term out = implied_output(terms, dots);
  if (arrow != std::string_view::npos) {
    SHOAL_TRY(out, read_output(c, text.substr(arrow + 2), dots));
  }
  SHOAL_TRY(const auto extents, read_extents(c, terms));

  einsum_equation equation;
  std::map<symbol, int> number;
  const auto add = [&](symbol s) {
    auto& loops = equation.loops;
    if (!number.emplace(s, static_cast<int>(loops.labels)).second) return;
    loops.extent[loops.labels++] = extents.at(s);
  };
  for (const auto s : out) {
    if (!extents.contains(s))
      return refuse(c, errc::malformed, "the output of the equation '{}' names an axis of no input",
                    text);
    add(s);
  }
  equation.loops.output_labels = equation.loops.labels;
  for (const auto& [s, extent] : extents) add(s);
  SHOAL_CHECK(checked_element_count(std::span(equation.loops.extent).first(equation.loops.labels)));
  SHOAL_CHECK(arguments::checked_shape(
      c, std::span(equation.loops.extent).first(equation.loops.output_labels)));
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto dense = c.dims(i).dense_strides();
    auto& labels = equation.inputs.emplace_back();
    auto& strides = equation.strides.emplace_back();
    for (std::size_t axis = 0; axis < terms[i].size(); ++axis) {
      const int at = static_cast<int>(axis), label = number.at(terms[i][axis]);
      labels.push_back(label);
      if (c.dims(i)[at] != 1) strides[static_cast<std::size_t>(label)] += dense[at];
    }
  }
  return equation;
}

} // namespace shoal
