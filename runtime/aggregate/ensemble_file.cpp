#include "runtime/aggregate/ensemble_file.hpp"

#include "runtime/aggregate/combining_graph.hpp"
#include "runtime/aggregate/json_fields.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/tensor/npy.hpp"
#include "runtime/tensor/tensor_proto.hpp"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = 1 << 20;
constexpr std::int64_t most_milliseconds = 3'600'000;

/// A file that the ensemble names, within its folder.
result<fs::path> file_within(const fs::path& folder, const json_field& field) {
  SHOAL_TRY(const auto text, field.text());
  const fs::path relative(text);
  if (text.find('\0') != std::string::npos) return field.wrong("it holds a zero byte");
  if (relative.is_absolute())
    return field.wrong(fmt::format("'{}' is an absolute path, which is refused", text));
  auto path = folder;
  for (const auto& part : relative) {
    if (part == "..") return field.wrong(fmt::format("'{}' has '..', which is refused", text));
    path /= part;
    std::error_code ignored;
    if (fs::is_symlink(path, ignored))
      return field.wrong(fmt::format("'{}' leads over a link, which is refused", text));
  }
  return path;
}

result<tensor> read_tensor(const fs::path& path, const json_field& field) {
  auto read = path.extension() == ".npy"  ? read_npy(path)
              : path.extension() == ".pb" ? read_tensor_proto_file(path)
                                          : result<tensor>(field.wrong("expected .npy or .pb"));
  if (!read && read.error().code() != errc::invalid_argument)
    return std::move(read).error().within(field.path());
  return read;
}

template <class T>
result<T> word(const json_field& field, result<T> (*named)(std::string_view)) {
  SHOAL_TRY(const auto text, field.text());
  auto value = named(text);
  if (!value) return field.wrong(value.error().message());
  return value;
}

result<std::map<std::string, std::string>> read_names(const json_field& field) {
  std::map<std::string, std::string> names;
  SHOAL_TRY(const auto entries, field.entries());
  for (const auto& [ours, theirs] : entries) {
    SHOAL_TRY(names[ours], theirs.text());
  }
  return names;
}

result<void> read_member(const fs::path& folder, const json_field& field, ensemble_rules& rules,
                         std::vector<member_source>& sources) {
  SHOAL_CHECK(field.check_keys({"name", "model", "weight", "inputs", "outputs", "stages"}));
  ensemble_member member;
  member_source source;
  SHOAL_TRY(const auto model, field.at("model"));
  SHOAL_TRY(source.model, file_within(folder, model));
  member.name = source.model.stem().string();
  if (field.has("name")) {
    SHOAL_TRY(member.name, field.at("name")->text());
  }
  if (field.has("weight")) {
    const auto weight = *field.at("weight");
    SHOAL_TRY(member.weight, weight.number());
    if (member.weight <= 0)
      return weight.wrong(fmt::format("expected a weight above 0, got {}", member.weight));
  }
  if (field.has("inputs")) {
    SHOAL_TRY(source.inputs, read_names(*field.at("inputs")));
  }
  if (field.has("outputs")) {
    SHOAL_TRY(source.outputs, read_names(*field.at("outputs")));
  }
  if (field.has("stages")) {
    SHOAL_TRY(const auto stages, field.at("stages")->integer(0, 4096));
    source.stages = static_cast<std::uint32_t>(stages);
  }
  for (const auto& known : rules.members)
    if (known.name == member.name)
      return field.wrong(fmt::format("another member is called '{}', too", member.name));
  rules.members.push_back(std::move(member));
  sources.push_back(std::move(source));
  return {};
}

bool has_classes(combine_way way) {
  return way == combine_way::log_mean || way == combine_way::soft_vote ||
         way == combine_way::majority_vote;
}

/// An option that only some ways have.
result<void> check_option(const json_field& field, const char* key, bool allowed, combine_way way) {
  if (allowed || !field.has(key)) return {};
  return field.at(key)->wrong(fmt::format("{} has no such option", to_string(way)));
}

result<void> check_options(const json_field& field, combine_way way) {
  using enum combine_way;
  SHOAL_CHECK(check_option(field, "axis", has_classes(way) || way == concatenation, way));
  SHOAL_CHECK(check_option(field, "values", has_classes(way), way));
  SHOAL_CHECK(check_option(field, "ties", way == majority_vote, way));
  SHOAL_CHECK(check_option(field, "labels", way == soft_vote || way == log_mean, way));
  SHOAL_CHECK(check_option(field, "trim", way == trimmed_mean, way));
  SHOAL_CHECK(check_option(field, "function", way == function, way));
  return check_option(field, "graph", way == graph, way);
}

result<combination> read_combination(const fs::path& folder, const json_field& field) {
  combination how;
  SHOAL_TRY(const auto way, field.at("way"));
  SHOAL_TRY(how.way, word(way, combine_way_named));
  SHOAL_CHECK(check_options(field, how.way));
  if (field.has("axis")) {
    SHOAL_TRY(const auto axis, field.at("axis")->integer(-shape::max_rank, shape::max_rank - 1));
    how.axis = static_cast<int>(axis);
  }
  if (has_classes(how.way)) { // nothing is assumed: the mistake would not show
    SHOAL_TRY(const auto values, field.at("values"));
    SHOAL_TRY(how.values, word(values, member_values_named));
  }
  if (field.has("ties")) {
    SHOAL_TRY(how.ties, word(*field.at("ties"), tie_break_named));
  }
  if (field.has("labels")) {
    SHOAL_TRY(how.labels, field.at("labels")->boolean());
  }
  if (field.has("trim")) {
    SHOAL_TRY(how.trim, field.at("trim")->number());
  }
  if (how.way == combine_way::function) {
    SHOAL_TRY(const auto name, field.at("function"));
    SHOAL_TRY(how.function_name, name.text());
  }
  if (how.way == combine_way::graph) {
    SHOAL_TRY(const auto file, field.at("graph"));
    SHOAL_TRY(const auto path, file_within(folder, file));
    auto imported = import_onnx_file(path);
    if (!imported) return std::move(imported).error().within(file.path());
    how.custom = std::make_shared<combining_graph>(std::move(imported->model));
  }
  if (const auto fits = check_combination(how); !fits) return field.wrong(fits.error().message());
  return how;
}

result<ensemble_output> read_output(const fs::path& folder, const json_field& field) {
  SHOAL_CHECK(field.check_keys(
      {"name", "way", "axis", "values", "ties", "labels", "trim", "function", "graph", "default"}));
  ensemble_output output;
  SHOAL_TRY(const auto name, field.at("name"));
  SHOAL_TRY(output.name, name.text());
  SHOAL_TRY(output.how, read_combination(folder, field));
  if (!field.has("default")) return output;
  const auto stand_in = *field.at("default");
  if (stand_in.value().is_string()) {
    SHOAL_TRY(const auto path, file_within(folder, stand_in));
    SHOAL_TRY(output.stand_in, read_tensor(path, stand_in));
  } else {
    SHOAL_TRY(output.stand_in, stand_in.number());
  }
  return output;
}

result<ensemble_description> describe(const fs::path& file, const json_field& root) {
  SHOAL_CHECK(root.check_keys({"members", "outputs", "quorum", "deadline_ms", "missing"}));
  ensemble_description found;
  found.name = file.stem().string();
  auto rules = std::make_shared<ensemble_rules>();
  SHOAL_TRY(const auto members, root.at("members"));
  SHOAL_TRY(const auto each_member, members.elements());
  if (each_member.size() > most_members)
    return members.wrong(
        fmt::format("{} members are more than {}", each_member.size(), most_members));
  for (const auto& member : each_member)
    SHOAL_CHECK(read_member(file.parent_path(), member, *rules, found.sources));
  SHOAL_TRY(const auto outputs, root.at("outputs"));
  SHOAL_TRY(const auto each_output, outputs.elements());
  for (const auto& output : each_output) {
    SHOAL_TRY(auto read, read_output(file.parent_path(), output));
    rules->outputs.push_back(std::move(read));
  }
  if (root.has("missing")) {
    SHOAL_TRY(rules->missing, word(*root.at("missing"), missing_policy_named));
  }
  if (root.has("quorum")) {
    const auto most = static_cast<std::int64_t>(each_member.size());
    SHOAL_TRY(const auto quorum, root.at("quorum")->integer(1, most));
    rules->quorum = static_cast<std::size_t>(quorum);
  }
  if (root.has("deadline_ms")) {
    SHOAL_TRY(const auto deadline, root.at("deadline_ms")->integer(1, most_milliseconds));
    found.deadline = std::chrono::milliseconds(deadline);
  }
  SHOAL_CHECK(check_rules(*rules));
  found.rules = std::move(rules);
  return found;
}

} // namespace

result<ensemble_description> read_ensemble(const fs::path& file) {
  SHOAL_TRY(const auto text, read_file(file, most_bytes));
  const auto document = parse_json(text);
  auto found =
      document ? describe(file, {*document, ""}) : result<ensemble_description>(document.error());
  if (!found) return std::move(found).error().within(file.filename().string());
  return found;
}

} // namespace shoal
