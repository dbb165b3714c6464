#include "apps/command/output_flags.hpp"

#include "apps/command/answer_summary.hpp"
#include "apps/command/named_words.hpp"
#include "apps/command/parsed_option.hpp"
#include "apps/command/text_table.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/tensor/labels.hpp"

#include <algorithm>

namespace shoal {
namespace {

result<std::size_t> output_index(std::string_view whose, std::span<const std::string> names,
                                 const std::string& name) {
  std::vector<std::string> quoted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name.empty() || name == names[i]) return i;
    quoted.push_back("'" + names[i] + "'");
  }
  return fail(errc::not_found, "the {} has no output '{}'; its outputs are {}", whose, name,
              fmt::join(quoted, ", "));
}

std::string class_table(const std::vector<scored_class>& classes, bool probabilities) {
  text_table table({"rank", "class", probabilities ? "probability" : "score", "label"}, {3});
  for (std::size_t i = 0; i < classes.size(); ++i)
    table.add({fmt::format("{}", i + 1), fmt::format("{}", classes[i].index),
               fmt::format("{:.6g}", classes[i].score), classes[i].label});
  return table.render();
}

template <class Step>
const Step* find_step(const recipe& how) {
  for (const auto& step : how.outputs)
    if (const auto* found = std::get_if<Step>(&step)) return found;
  return nullptr;
}

result<std::string> describe_classes(const output_flags& flags, const tensor& scores) {
  std::vector<std::string> labels;
  if (!flags.labels.empty()) {
    SHOAL_TRY(labels, read_labels(flags.labels));
  }
  SHOAL_TRY(const auto classes,
            top_classes(scores, flags.top, labels,
                        flags.softmax ? score_transform::softmax : score_transform::none));
  return class_table(classes, flags.softmax);
}

result<void> print(const std::string& text) {
  return write_bytes("-", bytes_of(text));
}

} // namespace

void output_flags::add_to(CLI::App& command) {
  static const std::vector<std::pair<std::string, tensor_format>> formats{
      {"npy", tensor_format::npy},
      {"pb", tensor_format::proto},
      {"png", tensor_format::png},
      {"jpg", tensor_format::jpeg}};
  command
      .add_option("--output", files,
                  "Where an output goes, the first one unless named: .npy, .pb, .png, .jpg; '-' is "
                  "standard output. Without it, standard output gets a description")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false);
  add_word_option(command, "--format", format, formats,
                  "npy, pb, png or jpg; default: by the file's name, npy on standard output");
  pictures.add_to(command);
  auto* best =
      command.add_option("--top", top, "Print the so many best classes of the first output");
  best->check(CLI::Range(1, 1 << 20))->group("Classes");
  command.add_option("--labels", labels, "File with the names of the classes, one per line")
      ->needs(best)
      ->group("Classes")
      ->type_name("FILE");
  command.add_flag("--softmax", softmax, "Turn scores into probabilities")
      ->needs(best)
      ->group("Classes");
}

void output_flags::check_usage() const {
  const auto data =
      std::ranges::count_if(files, [](const auto& o) { return split_named(o).words == "-"; });
  if (data > 1) throw CLI::ValidationError("--output", "standard output takes one tensor only");
  if (data == 1 && top > 0)
    throw CLI::ValidationError("--top", "standard output cannot have both classes and a tensor");
}

result<std::vector<destination>> output_flags::find(std::string_view whose,
                                                    std::span<const std::string> names) const {
  std::vector<destination> found;
  for (const auto& argument : files) {
    const auto [name, file] = split_named(argument);
    destination to;
    SHOAL_TRY(to.output, output_index(whose, names, name));
    to.file = file;
    if (format) {
      to.format = *format;
    } else if (file != "-") {
      SHOAL_TRY(to.format, format_by_name(file));
    }
    found.push_back(std::move(to));
  }
  return found;
}

result<void> output_flags::follow(const recipe& how, tensor& output,
                                  std::span<const image_placement> placements) {
  if (const auto* picture = find_step<picture_step>(how)) {
    pictures.options = picture->options;
    return {};
  }
  auto concluded = conclude(how, output, placements);
  if (!concluded)
    return std::move(concluded).error().within("the recipe, which --no-recipe leaves alone");
  if (auto* values = std::get_if<tensor>(&*concluded)) output = std::move(*values);
  if (const auto* items = std::get_if<std::vector<std::vector<scored_class>>>(&*concluded))
    for (const auto& classes : *items)
      tables_ += class_table(classes, find_step<softmax_step>(how) != nullptr);
  return {};
}

result<void> output_flags::deliver(std::span<const destination> destinations,
                                   std::span<const std::string> names,
                                   std::span<const tensor> outputs) const {
  for (const auto& to : destinations)
    SHOAL_CHECK(
        write_tensor(to.file, to.format, outputs[to.output], names[to.output], pictures.options));
  if (top > 0) {
    SHOAL_TRY(const auto table, describe_classes(*this, outputs.front()));
    return print(table);
  }
  const bool data_on_stdout =
      std::ranges::any_of(destinations, [](const auto& to) { return to.file == "-"; });
  if (!tables_.empty()) return data_on_stdout ? result<void>() : print(tables_);
  return destinations.empty() ? print(describe_outputs(names, outputs)) : result<void>();
}

} // namespace shoal
