#include "runtime/base/fail.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <charconv>

namespace shoal::test {
namespace {

/// The numbers given as "key=number". Each is taken out by whoever reads it; what is left at the
/// end nobody knows.
class number_options {
 public:
  result<void> parse(const std::vector<std::string>& options) {
    for (const auto& text : options) {
      const auto equals = text.find('=');
      const auto digits = equals == text.npos ? "" : text.substr(equals + 1);
      const auto* end = digits.data() + digits.size();
      std::int64_t value = 0;
      const auto read = std::from_chars(digits.data(), end, value);
      if (read.ec != std::errc() || read.ptr != end)
        return fail(errc::invalid_argument, "expected key=number, got '{}'", text);
      const auto key = text.substr(0, equals);
      if (value < 1 && (key != "sequence" || value != -1))
        return fail(errc::invalid_argument, "'{}' has to be positive, got {}", key, value);
      values_[key] = value;
    }
    return {};
  }
  template <class T>
  number_options& read(const char* key, T& into) {
    known_ += fmt::format(" {}", key);
    if (const auto found = values_.find(key); found != values_.end()) {
      into = static_cast<T>(found->second);
      values_.erase(found);
    }
    return *this;
  }
  result<void> done() const {
    if (values_.empty()) return {};
    return fail(errc::invalid_argument, "no option '{}'; there are:{}", values_.begin()->first,
                known_);
  }

 private:
  std::map<std::string, std::int64_t> values_;
  std::string known_;
};

} // namespace

result<graph> make_model(std::string_view name, const std::vector<std::string>& options) {
  number_options given;
  SHOAL_CHECK(given.parse(options));
  if (name == "resnet50") {
    resnet_options o;
    given.read("size", o.size).read("width", o.width).read("classes", o.classes);
    SHOAL_CHECK(given.read("seed", o.seed).done());
    return make_resnet(o);
  }
  if (name == "mobilenet_v2") {
    mobilenet_options o;
    SHOAL_CHECK(given.read("size", o.size).read("classes", o.classes).read("seed", o.seed).done());
    return make_mobilenet(o);
  }
  if (name == "squeezenet") {
    squeezenet_options o;
    SHOAL_CHECK(given.read("size", o.size).read("classes", o.classes).read("seed", o.seed).done());
    return make_squeezenet(o);
  }
  if (name == "esrgan_slim") {
    esrgan_options o;
    SHOAL_CHECK(given.read("size", o.size).read("seed", o.seed).done());
    return make_esrgan(o);
  }
  if (name == "bert_base") {
    bert_options o;
    given.read("layers", o.layers).read("hidden", o.hidden).read("heads", o.heads);
    given.read("sequence", o.sequence).read("vocabulary", o.vocabulary);
    given.read("positions", o.positions).read("opset", o.opset);
    SHOAL_CHECK(given.read("seed", o.seed).done());
    return make_bert(o);
  }
  if (name == "random") {
    std::uint64_t seed = 1;
    SHOAL_CHECK(given.read("seed", seed).done());
    return make_random_model(seed);
  }
  return fail(errc::invalid_argument,
              "no model '{}'; there are resnet50, mobilenet_v2, squeezenet, esrgan_slim, bert_base "
              "and random",
              name);
}

} // namespace shoal::test
