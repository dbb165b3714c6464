#include "apps/command/input_flags.hpp"

#include "apps/command/named_words.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/tensor/npy.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <random>

namespace shoal {
namespace {

using assignments = std::vector<std::optional<std::string>>;

result<tensor> read_content(const std::string& file, dtype type, const input_flags& flags,
                            std::vector<image_placement>* placements) {
  SHOAL_TRY(const auto format, format_of_file(file));
  if (format == tensor_format::npy) return read_npy(file);
  if (format == tensor_format::proto) return read_tensor_proto_file(file);
  SHOAL_TRY(const auto picture, read_image(file));
  if (!flags.how) return image_to_tensor(picture, flags.pictures.for_type(type));
  SHOAL_TRY(auto prepared, prepare(*flags.how, picture));
  if (placements != nullptr) *placements = std::move(prepared.placements);
  return std::move(prepared.values);
}

/// What files are said to hold, and else what is said or declared of shapes.
result<tensor_type> type_without_file(const graph_value& input,
                                      const std::optional<std::string>& words) {
  const auto type = input.type.value_or(dtype::f32);
  if (words) {
    auto dims = parse_shape(*words);
    if (!dims) return std::move(dims).error().within("--shape of input '" + input.name + "'");
    return tensor_type{type, *dims};
  }
  if (!input.dims)
    return fail(errc::invalid_argument,
                "the model says nothing of the shape of input '{}': --shape {}=... does",
                input.name, input.name);
  constexpr std::int64_t usual_extent = 224;
  shape dims;
  for (const auto& d : *input.dims)
    dims.push_back(d.extent >= 0 ? d.extent : dims.rank() == 0 ? 1 : usual_extent);
  SHOAL_CHECK(checked_element_count(dims.span()));
  return tensor_type{type, dims};
}

result<tensor> make_up(const tensor_type& type, std::mt19937_64& random) {
  SHOAL_TRY(auto made, tensor::allocate(type));
  std::uniform_real_distribution<float> even(0, 1);
  visit_dtype(type.type, [&]<class T>(std::type_identity<T>) {
    for (auto& value : made.mutable_values<T>())
      if constexpr (std::is_same_v<T, std::uint8_t>)
        value = static_cast<std::uint8_t>(random());
      else if constexpr (std::is_integral_v<T>)
        value = T{};
      else
        value = T(even(random));
  });
  return made;
}

result<void> check_types(const graph& model, const std::vector<tensor>& inputs) {
  std::vector<tensor_type> types;
  for (const auto& input : inputs) types.push_back(input.type());
  return check_inputs(model, types);
}

} // namespace

void input_flags::add_to(CLI::App& command) {
  command
      .add_option("--input", files,
                  "[NAME=]FILE: .npy, ONNX TensorProto .pb, .png or .jpg; once per input")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false);
  pictures.add_to(command);
}

void input_flags::add_with_shapes_to(CLI::App& command) {
  add_to(command);
  command.add_option("--shape", shapes, "Shape of an input without a file, as in 1x3x224x224")
      ->type_name("[NAME=]SHAPE")
      ->allow_extra_args(false);
}

result<tensor> input_flags::read_input(const graph_value& input, const std::string& file,
                                       std::vector<image_placement>* placements) const {
  const auto type = input.type.value_or(dtype::f32);
  auto content = read_content(file, type, *this, placements);
  if (content) content = convert_elements(*content, type);
  if (!content) return std::move(content).error().within("input '" + input.name + "'");
  return content;
}

result<std::vector<tensor>> input_flags::read(const graph& model,
                                              std::vector<image_placement>* placements) const {
  SHOAL_TRY(const auto assigned, assign_to_inputs(model, files, "--input"));
  std::vector<tensor> inputs;
  for (std::size_t i = 0; i < assigned.size(); ++i) {
    const auto& input = model.value(model.inputs()[i]);
    if (!assigned[i])
      return fail(errc::invalid_argument, "input '{}' is missing; the model takes {}", input.name,
                  input_names(model));
    SHOAL_TRY(inputs.emplace_back(), read_input(input, *assigned[i], placements));
  }
  SHOAL_CHECK(check_types(model, inputs));
  return inputs;
}

result<std::vector<tensor>> input_flags::read_or_make(const graph& model,
                                                      std::uint64_t seed) const {
  SHOAL_TRY(const auto in_files, assign_to_inputs(model, files, "--input"));
  SHOAL_TRY(const auto in_words, assign_to_inputs(model, shapes, "--shape"));
  std::mt19937_64 random(seed);
  std::vector<tensor> inputs;
  for (std::size_t i = 0; i < in_files.size(); ++i) {
    const auto& input = model.value(model.inputs()[i]);
    if (in_files[i] && in_words[i])
      return fail(errc::invalid_argument, "input '{}' has both a file and a shape", input.name);
    if (in_files[i]) {
      SHOAL_TRY(inputs.emplace_back(), read_input(input, *in_files[i]));
    } else {
      SHOAL_TRY(const auto type, type_without_file(input, in_words[i]));
      SHOAL_TRY(inputs.emplace_back(), make_up(type, random));
    }
  }
  SHOAL_CHECK(check_types(model, inputs));
  return inputs;
}

result<std::vector<tensor_type>> input_flags::types(const graph& model) const {
  std::vector<tensor_type> types;
  if (files.empty() && shapes.empty()) return types;
  SHOAL_TRY(const auto in_files, assign_to_inputs(model, files, "--input"));
  SHOAL_TRY(const auto in_words, assign_to_inputs(model, shapes, "--shape"));
  for (std::size_t i = 0; i < in_files.size(); ++i) {
    const auto& input = model.value(model.inputs()[i]);
    if (in_files[i]) {
      SHOAL_TRY(const auto content, read_input(input, *in_files[i]));
      types.push_back(content.type());
    } else {
      SHOAL_TRY(types.emplace_back(), type_without_file(input, in_words[i]));
    }
  }
  SHOAL_CHECK(check_inputs(model, types));
  return types;
}

} // namespace shoal
