#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/base/fail.hpp"

#include <cstring>

namespace shoal {
namespace {

class concatenation final : public combiner {
 public:
  explicit concatenation(int axis) : axis_(axis) {}

  result<void> check(const tensor_type& type) const override {
    const int at = place(type.dims);
    if (at < 0 || at >= type.dims.rank())
      return fail(errc::invalid_argument, "shape {} has no axis {} to concatenate along",
                  to_string(type.dims), axis_);
    if (members_.empty()) return {};
    auto expected = members_.front().type();
    if (expected.dims.rank() == type.dims.rank()) expected.dims[at] = type.dims[at];
    if (type == expected) return {};
    return fail(errc::invalid_argument,
                "got {}, expected {} as member '{}' gave, but for the extent of axis {}",
                to_string(type), to_string(members_.front().type()), first_, axis_);
  }

  result<void> fold(const member_output& one) override {
    if (members_.empty()) first_ = one.member;
    members_.push_back(one.value);
    return {};
  }

  result<combined_output> finish(std::size_t) override {
    auto type = members_.front().type();
    const int axis = place(type.dims);
    type.dims[axis] = 0;
    for (const auto& member : members_) type.dims[axis] += member.dims()[axis];
    SHOAL_TRY(auto out, tensor::allocate(type));
    const auto outer = type.dims.element_count(0, axis);
    auto* to = out.mutable_data();
    for (std::int64_t o = 0; o < outer; ++o)
      for (const auto& member : members_) {
        const auto bytes = member.byte_size() / static_cast<std::size_t>(outer);
        if (bytes > 0) std::memcpy(to, member.data() + static_cast<std::size_t>(o) * bytes, bytes);
        to += bytes;
      }
    return combined_output{std::move(out), {}, {}};
  }

 private:
  int place(const shape& dims) const { return axis_ < 0 ? axis_ + dims.rank() : axis_; }

  int axis_;
  std::string first_;
  std::vector<tensor> members_;
};

} // namespace

std::unique_ptr<combiner> make_concatenation(const combination& how) {
  return std::make_unique<concatenation>(how.axis);
}

} // namespace shoal
