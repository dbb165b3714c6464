#include "kernels/cpu/skip_normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// EmbedLayerNormalization of com.microsoft: the sum of the embeddings of word, position and
/// segment, normalised; and the number of words that the mask lets through. Inputs: ids, segment
/// ids, word, position and segment embeddings, scale, shift, mask, position ids.
namespace shoal::operators {
namespace {

using arguments::refuse;

constexpr std::size_t segment_ids = 1, words = 2, positions = 3, segments = 4, scale = 5, shift = 6,
                      mask = 7, position_ids = 8;

result<void> expect_table(const node_context& c, std::size_t i, std::int64_t width) {
  SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
  if (c.dims(i).rank() == 2 && c.dims(i)[1] == width) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected [entries,{}], got {}", i, width,
                to_string(c.dims(i)));
}

result<void> expect_ids(const node_context& c, std::size_t i, bool shared) {
  if (!c.has(i)) return {};
  SHOAL_CHECK(arguments::expect_type(c, i, {dtype::i32}));
  const auto& ids = c.dims(0);
  if (c.dims(i) == ids || (shared && c.dims(i) == shape{1, ids[1]})) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected {}, got {}", i, to_string(ids),
                to_string(c.dims(i)));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::i32}));
  const auto& ids = c.dims(0);
  if (ids.rank() != 2 || c.dims(words).rank() != 2)
    return refuse(c, errc::invalid_argument, "ids {} and words {}: expected matrices",
                  to_string(ids), to_string(c.dims(words)));
  const auto width = c.dims(words)[1];
  SHOAL_CHECK(expect_table(c, words, width));
  SHOAL_CHECK(expect_table(c, positions, width));
  if (c.has(segments)) SHOAL_CHECK(expect_table(c, segments, width));
  if (c.has(segments) != c.has(segment_ids))
    return refuse(c, errc::malformed, "segment ids and segment embeddings come together");
  for (const auto i : {scale, shift}) {
    SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
    if (c.dims(i) != shape{width})
      return refuse(c, errc::invalid_argument, "input {}: expected [{}], got {}", i, width,
                    to_string(c.dims(i)));
  }
  SHOAL_CHECK(expect_ids(c, segment_ids, false));
  SHOAL_CHECK(expect_ids(c, mask, false));
  SHOAL_CHECK(expect_ids(c, position_ids, true));
  if (!c.has(position_ids) && c.dims(positions)[0] < ids[1])
    return refuse(c, errc::invalid_argument, "{} positions for {} words", c.dims(positions)[0],
                  ids[1]);
  const std::int64_t extents[] = {ids[0], ids[1], width};
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, extents));
  return std::vector<tensor_type>{{dtype::f32, dims}, {dtype::i32, {ids[0]}}, {dtype::f32, dims}};
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto& ids = c.inputs[0].type;
  double read = 0; // of the tables only the rows that are looked up
  for (const auto& out : outputs)
    read += 2.0 * static_cast<double>(out.dims.element_count()) *
            static_cast<double>(size_of(out.type));
  return {11.0 * static_cast<double>(outputs[0].dims.element_count()),
          read + 4.0 * static_cast<double>(ids.dims.element_count())};
}

std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input != 0 && input != segment_ids) return std::nullopt;
  if (axis > 1) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] != 0 || c.has(position_ids)) return std::nullopt;
  for (std::size_t i = 1; i < split.size(); ++i) {
    const bool ids = (i == segment_ids || i == mask) && c.has(i);
    if (split[i] != (ids ? 0 : unsplit)) return std::nullopt;
  }
  return 0;
}

const float* looked_up(const const_view& table, std::int32_t id, const char* what) {
  if (id < 0 || id >= table.dims[0])
    throw kernel_error(fmt::format("{} {} is not among the {} there are", what, id, table.dims[0]));
  return table.as<float>() + id * table.dims[1];
}

template <auto Normalize>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto batch = c.dims(0)[0], rows = c.dims(0)[1], width = c.dims(words)[1];
  const auto epsilon = static_cast<double>(c.attrs().get_float("epsilon", 1e-12f));
  return function_kernel([=](const kernel_io& io) {
    const auto input = [&](std::size_t i) {
      return i < io.inputs.size() ? io.inputs[i] : const_view{};
    };
    const const_view positioned = input(position_ids), masked = input(mask),
                     parts = input(segment_ids);
    auto* sum =
        (io.outputs.size() > 2 && io.outputs[2].data != nullptr ? io.outputs[2] : io.outputs[0])
            .as<float>();
    const auto* ids = io.inputs[0].as<std::int32_t>();
    for (std::int64_t i = 0; i < batch * rows; ++i) {
      const auto position =
          positioned.data == nullptr
              ? static_cast<std::int32_t>(i % rows)
              : positioned.as<std::int32_t>()[positioned.dims[0] == 1 ? i % rows : i];
      const auto* word = looked_up(io.inputs[words], ids[i], "word");
      const auto* place = looked_up(io.inputs[positions], position, "position");
      const auto* part = parts.data == nullptr ? nullptr
                                               : looked_up(io.inputs[segments],
                                                           parts.as<std::int32_t>()[i], "segment");
      for (std::int64_t k = 0; k < width; ++k)
        sum[i * width + k] = word[k] + place[k] + (part == nullptr ? 0.0f : part[k]);
    }
    Normalize(skip_normalization{.rows = batch * rows,
                                 .width = width,
                                 .epsilon = epsilon,
                                 .x = sum,
                                 .scale = io.inputs[scale].as<float>(),
                                 .shift = io.inputs[shift].as<float>(),
                                 .y = io.outputs[0].as<float>(),
                                 .sum = io.outputs[0].as<float>()});
    if (io.outputs.size() < 2 || io.outputs[1].data == nullptr) return;
    for (std::int64_t b = 0; b < batch; ++b) {
      std::int32_t count = 0;
      for (std::int64_t i = 0; masked.data != nullptr && i < rows; ++i)
        count += masked.as<std::int32_t>()[b * rows + i] == 1;
      io.outputs[1].as<std::int32_t>()[b] = count;
    }
  });
}

constexpr kernel_entry kernel_list[] = {{"cpu", prepare<kernels::normalize>},
                                        {"reference", prepare<reference::normalize>}};

} // namespace

const operator_def embed_layer_normalization{
    .name = "EmbedLayerNormalization",
    .domain = "com.microsoft",
    .min_inputs = 7,
    .max_inputs = 9,
    .max_outputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
