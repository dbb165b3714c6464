#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/aggregate/combining_graph.hpp"
#include "runtime/base/fail.hpp"

#include <exception>

namespace shoal {
namespace {

/// Keeps all members.
class keeping_combiner : public combiner {
 public:
  result<void> check(const tensor_type&) const override { return {}; }
  result<void> fold(const member_output& one) override {
    members_.push_back(one);
    return {};
  }

 protected:
  std::vector<member_output> members_;
};

class function_combiner final : public keeping_combiner {
 public:
  function_combiner(std::string name, aggregator_function combine)
      : name_(std::move(name)), combine_(std::move(combine)) {}

  result<combined_output> finish(std::size_t) override {
    result<tensor> made = fail(errc::internal, "it ended without an answer");
    try {
      made = combine_(members_);
    } catch (const std::exception& e) {
      made = fail(errc::internal, "it threw: {}", e.what());
    } catch (...) {
      made = fail(errc::internal, "it threw");
    }
    if (made && (made->empty() || made->format() != layout::plain))
      made = fail(errc::internal, "it made no row-major tensor");
    if (!made) return made.error().within(fmt::format("aggregator '{}'", name_));
    return combined_output{*std::move(made), {}, {}};
  }

 private:
  std::string name_;
  aggregator_function combine_;
};

class graph_combiner final : public keeping_combiner {
 public:
  explicit graph_combiner(std::shared_ptr<combining_graph> custom) : custom_(std::move(custom)) {}

  result<combined_output> finish(std::size_t) override {
    std::vector<tensor> members;
    for (const auto& member : members_) members.push_back(member.value);
    SHOAL_TRY(auto made, custom_->run(members));
    return combined_output{std::move(made), {}, {}};
  }

 private:
  std::shared_ptr<combining_graph> custom_;
};

} // namespace

result<std::unique_ptr<combiner>> make_custom_combiner(const combination& how) {
  if (how.way == combine_way::graph) return std::make_unique<graph_combiner>(how.custom);
  SHOAL_TRY(auto combine, find_aggregator(how.function_name));
  return std::make_unique<function_combiner>(how.function_name, std::move(combine));
}

} // namespace shoal
