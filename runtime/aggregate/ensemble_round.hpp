#pragma once

#include "runtime/aggregate/combiner.hpp"
#include "runtime/aggregate/ensemble_rules.hpp"
#include "runtime/schedule/instant.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace shoal {

/// A member without a part in the answer, and why.
struct missing_member {
  std::string name;
  error why;
};

/// What an ensemble answers.
struct ensemble_answer {
  std::vector<combined_output> outputs; ///< in the order of the rules
  std::size_t answered = 0;             ///< members that the answer is made of
  std::vector<missing_member> missing;  ///< in the order of the rules
};

/// One request to an ensemble: collects what the members answer and decides, exactly once, on the
/// outcome. A plain state machine: no clock, no threads; time comes with the calls, and goes on.
///
/// It decides as soon as every member has answered or failed, or cannot make up the quorum any
/// more, and at the deadline with those that have answered by then. So which members take part
/// depends on who is in time, but nothing depends on the order in which they are: members are
/// folded in in the order of the rules, and one that comes before an earlier one waits.
///
/// An answer that does not fit the others (their number, types or shapes) makes its member fail,
/// as one does that sends an error: it is the first in the order of the rules that the others have
/// to agree with.
class ensemble_round {
 public:
  using outcome = result<ensemble_answer>;

  /// `rules` pass `check_rules`.
  static result<ensemble_round> start(std::shared_ptr<const ensemble_rules> rules,
                                      instant deadline);

  /// Member `m`, an index into the rules, answered with the outputs in the order of the rules, or
  /// failed. The first word of a member counts, later ones are dropped, and so is what comes after
  /// the outcome. The outcome is returned by exactly one call. Fails: `resource_exhausted` in it
  /// when memory is short; the error of a function or graph that combines; else, when the quorum is
  /// missed, the code that the first missing member failed with, in a message with the names and
  /// reasons of all: `deadline_exceeded` for one that was late.
  std::optional<outcome> take(std::size_t m, result<std::vector<tensor>> answer, instant now);
  /// Time has passed.
  std::optional<outcome> expire(instant now);

  instant deadline() const { return deadline_; }
  bool decided() const { return decided_; }
  /// Whether the word of `m` is waited for.
  bool waits_for(std::size_t m) const { return !decided_ && members_[m].step == progress::open; }

 private:
  enum class progress : std::uint8_t { open, held, folded, failed };
  struct member_state {
    progress step = progress::open;
    std::vector<tensor> outputs; ///< while it is held
    std::optional<error> why;    ///< when it failed
  };

  ensemble_round(std::shared_ptr<const ensemble_rules> rules, instant deadline);
  void fail_member(std::size_t m, error why);
  std::optional<error> fold_ready();
  std::optional<error> fold(std::size_t m);
  result<void> check(std::size_t m) const;
  std::optional<error> fold_defaults();
  result<tensor> stand_in_for(const ensemble_output& output, const tensor_type& type) const;
  std::optional<outcome> advance();
  outcome conclude();
  outcome quorum_missed() const;
  std::vector<missing_member> list_missing() const;

  std::shared_ptr<const ensemble_rules> rules_;
  instant deadline_;
  std::vector<member_state> members_;
  std::vector<std::unique_ptr<combiner>> combiners_; ///< per output
  std::vector<tensor_type> types_;                   ///< per output, of the first member folded in
  std::size_t next_ = 0;                             ///< all before it are folded in or failed
  std::vector<std::size_t> due_; ///< failed members whose defaults are to be folded in first
  std::size_t failed_ = 0;
  std::size_t folded_ = 0;
  bool decided_ = false;
};

} // namespace shoal
