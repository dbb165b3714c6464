#include "runtime/graph/rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Attention over 5 queries and 7 keys of 3 heads, as exporters write it.
struct exported {
  const char* scaled = "product"; ///< or "query", "both", "early" (before the heads are split), ""
  bool quotient = false;
  const char* mask = "added"; ///< or "first" (of the sum), "where", ""
  bool keys_turned_twice = false;
  bool heads_first = false; ///< operands come with heads first
  std::int64_t axis = -1;
  std::vector<std::int64_t> joined{0, 2, 1, 3};
  float fill = -3.4e38f;
  std::string read_elsewhere = "";

  sketch with_inputs() const {
    sketch s;
    for (const std::string name : {"q", "k", "v"}) {
      const std::int64_t rows = name == "q" ? 5 : 7, size = name == "v" ? 4 : 8;
      if (heads_first)
        s.input(name + "h", {2, 3, rows, size});
      else
        s.input(name, {2, rows, 3 * size});
    }
    s.constant("factor", tensor::of<float>({}, {quotient ? 3.0f : 0.3f}));
    s.constant("fill", tensor::of<float>({1}, {fill}));
    return s.input("mask", {2, 1, 1, 7}).input("seen", {2, 1, 5, 7}, dtype::boolean);
  }

  std::string scale(sketch& s, const std::string& in) const {
    s.node(quotient ? "Div" : "Mul", {in, "factor"}, {in + "_scaled"});
    return in + "_scaled";
  }

  void split_heads(sketch& s, const std::string& name, bool early) const {
    if (heads_first) return;
    const std::int64_t size = name == "v" ? 4 : 8;
    s.constant(name + "_shape", tensor::of<std::int64_t>({4}, {0, 0, 3, size}));
    s.node("Reshape", {early ? scale(s, name) : name, name + "_shape"}, {name + "r"});
    const bool once = name == "k" && !keys_turned_twice;
    s.node("Transpose", {name + "r"}, {name + "h"},
           order(once ? std::vector<std::int64_t>{0, 2, 3, 1}
                      : std::vector<std::int64_t>{0, 2, 1, 3}));
  }

  graph build() const {
    auto s = with_inputs();
    const std::string_view where = scaled, what = mask;
    split_heads(s, "q", where == "early");
    split_heads(s, "k", false);
    split_heads(s, "v", false);
    std::string query = "qh", key = "kh";
    if (keys_turned_twice || heads_first) {
      s.node("Transpose", {"kh"}, {"kt"}, order({0, 1, 3, 2}));
      key = "kt";
    }
    if (where == "query" || where == "both") query = scale(s, query);
    if (where == "both") key = scale(s, key);
    s.node("MatMul", {query, key}, {"p"});
    std::string scores = where == "product" ? scale(s, "p") : "p";
    if (!what.empty()) {
      if (what == "where")
        s.node("Where", {"seen", "fill", scores}, {"m"});
      else
        s.node("Add",
               what == "first" ? std::vector<std::string>{"mask", scores}
                               : std::vector<std::string>{scores, "mask"},
               {"m"});
      scores = "m";
    }
    s.node("Softmax", {scores}, {"w"}, with("axis", axis));
    s.node("MatMul", {"w", "vh"}, {"mixed"});
    s.node("Transpose", {"mixed"}, {"y"}, order(joined)).output("y");
    if (!read_elsewhere.empty()) s.output(read_elsewhere);
    return s.build();
  }
};

bool is_one_attention(const graph& g) {
  int attentions = 0, others = 0;
  for (const auto& node : g.nodes()) {
    attentions += node.definition->name == "ScaledDotProductAttention";
    others += node.definition->name != "ScaledDotProductAttention" &&
              node.definition->name != "Reshape" && node.definition->name != "Where";
  }
  return attentions == 1 && others == 0;
}

} // namespace

TEST_CASE("attention written out becomes one node, wherever scale and mask are") {
  for (const auto* scaled : {"product", "query", "both", "early"})
    for (const bool quotient : {false, true})
      for (const auto* mask : {"added", "first", "where", ""})
        for (const bool twice : {false, true}) {
          CAPTURE(scaled);
          CAPTURE(mask);
          CAPTURE(twice);
          const exported e{
              .scaled = scaled, .quotient = quotient, .mask = mask, .keys_turned_twice = twice};
          const auto before = e.build();
          const auto after = rewritten(before);
          REQUIRE_MESSAGE(is_one_attention(after), operators_of(after));
          check_same_outputs(before, after);
        }
}

TEST_CASE("attention keeps the order that its operands come in, and the name of its first node") {
  const auto before = exported{.heads_first = true}.build();
  const auto after = rewritten(before);
  REQUIRE(operators_of(after) == "ScaledDotProductAttention");
  CHECK(after.nodes()[0].name == "MatMul:p");
  CHECK(after.nodes()[0].attrs.get_int("q_rows_first", 0) == 0);
  check_same_outputs(before, after);
  rewrite_options off;
  off.fuse_attention = false;
  off.fuse_transposes = false;
  CHECK(text_of(rewritten(before, off)) == text_of(before));
}

TEST_CASE("attention without a scale is found where its type is known") {
  const auto before = exported{.scaled = ""}.build();
  const auto after = rewritten(before);
  CHECK(is_one_attention(after));
  check_same_outputs(before, after);
}

TEST_CASE("attention stays where something else reads its parts or it is none") {
  const auto kept = [](const exported& e) {
    const auto before = e.build();
    return text_of(rewritten(before)) == text_of(before);
  };
  for (const auto* read : {"p", "p_scaled", "m", "w", "mixed"}) {
    CAPTURE(read);
    CHECK(kept({.read_elsewhere = read}));
  }
  CHECK(kept({.axis = 2}));
  CHECK(kept({.joined = {0, 1, 3, 2}}));
  CHECK(kept({.mask = "where", .fill = -10000})); // not the same where all keys are masked
}

TEST_CASE("operands of attention that others read stay for them") {
  for (const auto* read : {"qh", "kh", "vh"}) {
    CAPTURE(read);
    const auto before = exported{.read_elsewhere = read}.build();
    const auto after = rewritten(before);
    CHECK(operators_of(after).find("ScaledDotProductAttention") != std::string::npos);
    check_same_outputs(before, after);
  }
  const auto before = exported{.scaled = "early", .read_elsewhere = "q_scaled"}.build();
  const auto after = rewritten(before);
  CHECK(operators_of(after).find("ScaledDotProductAttention") != std::string::npos);
  check_same_outputs(before, after);
}
