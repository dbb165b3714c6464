#include "runtime/base/fail.hpp"
#include "runtime/tensor/image_rows.hpp"
#include "runtime/tensor/jpeg_errors.hpp"

#include <jerror.h>

#include <algorithm>

// See jpeg_errors.hpp for what functions that call setjmp may own. The same holds for those that
// libjpeg calls.

namespace shoal {
namespace {

// No encoder writes more scans than a few dozen; each costs a walk over the whole picture.
constexpr int max_scans = 100;
// Huffman coding spends at least a bit on each 8 x 8 block.
constexpr std::uint64_t max_pixels_per_byte = 512;
// Of libjpeg, for a row of blocks with its neighbours, before and after upsampling.
constexpr std::uint64_t rows_of_decoder = 64;

struct jpeg_reader {
  jpeg_errors errors;
  jpeg_progress_mgr progress{};
  jpeg_source_mgr source{};
  jpeg_decompress_struct info{};
  std::unique_ptr<byte_feed> feed;
  std::optional<error> failure; ///< of the feed

  jpeg_reader() = default;
  jpeg_reader(const jpeg_reader&) = delete;
  jpeg_reader& operator=(const jpeg_reader&) = delete;
  ~jpeg_reader() { jpeg_destroy_decompress(&info); } // fine for one that was never created
};

void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans)
    ERREXIT1(info, JERR_BAD_PROGRESSION, 0);
}

/// Whether there are more bytes.
bool refill(jpeg_reader& reader) {
  auto piece = reader.feed->next();
  if (!piece) {
    reader.failure = std::move(piece).error();
    return false;
  }
  reader.source.next_input_byte = reinterpret_cast<const JOCTET*>(piece->data());
  reader.source.bytes_in_buffer = piece->size();
  return !piece->empty();
}

void no_operation(j_decompress_ptr) {}

boolean on_fill(j_decompress_ptr info) {
  // The end of the file before that of the picture is a warning to libjpeg, an error to us.
  if (!refill(*static_cast<jpeg_reader*>(info->client_data))) ERREXIT(info, JERR_INPUT_EOF);
  return TRUE;
}

void on_skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  auto left = static_cast<std::size_t>(count);
  while (left > info->src->bytes_in_buffer) {
    left -= info->src->bytes_in_buffer;
    on_fill(info);
  }
  info->src->next_input_byte += left;
  info->src->bytes_in_buffer -= left;
}

bool read_header(jpeg_reader& reader) {
  install(reader.errors);
  reader.info.err = &reader.errors.manager;
  if (setjmp(reader.errors.jump) != 0) return false;
  jpeg_create_decompress(&reader.info);
  reader.info.client_data = &reader;
  reader.progress.progress_monitor = on_progress;
  reader.info.progress = &reader.progress;
  reader.source.init_source = no_operation;
  reader.source.fill_input_buffer = on_fill;
  reader.source.skip_input_data = on_skip;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
  reader.source.term_source = no_operation;
  reader.info.src = &reader.source;
  jpeg_read_header(&reader.info, TRUE);
  return true;
}

bool read_rows(jpeg_reader& reader, std::uint8_t* pixels, std::size_t row_bytes, int count) {
  jpeg_decompress_struct& info = reader.info;
  if (setjmp(reader.errors.jump) != 0) return false;
  if (info.output_scanline == 0) jpeg_start_decompress(&info);
  for (int y = 0; y < count; ++y) {
    JSAMPROW row = pixels + static_cast<std::size_t>(y) * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  if (info.output_scanline == info.output_height) jpeg_finish_decompress(&info);
  return true;
}

/// What libjpeg keeps of a picture whose scans each hold only a part of every block.
std::uint64_t coefficient_bytes(const jpeg_decompress_struct& info) {
  std::uint64_t blocks = 0;
  for (int i = 0; i < info.num_components; ++i) {
    const auto& part = info.comp_info[i];
    const auto padded = [](JDIMENSION count, int factor) {
      const auto f = static_cast<std::uint64_t>(factor);
      return (count + f - 1) / f * f;
    };
    blocks += padded(part.width_in_blocks, part.h_samp_factor) *
              padded(part.height_in_blocks, part.v_samp_factor);
  }
  return blocks * sizeof(JBLOCK);
}

/// The number of channels that the picture will have.
result<int> choose_colours(jpeg_decompress_struct& info) {
  switch (info.jpeg_color_space) {
  case JCS_GRAYSCALE:
    info.out_color_space = JCS_GRAYSCALE;
    return 1;
  case JCS_YCbCr:
  case JCS_RGB:
    info.out_color_space = JCS_RGB;
    return 3;
  case JCS_CMYK:
  case JCS_YCCK:
    return fail(errc::unsupported, "JPEG in CMYK: expected gray or colour (YCbCr or RGB)");
  default:
    return fail(errc::unsupported, "JPEG of {} components of unknown meaning", info.num_components);
  }
}

class jpeg_rows final : public image_rows {
 public:
  result<void> open(std::unique_ptr<byte_feed> feed) {
    reader_.feed = std::move(feed);
    if (!read_header(reader_)) return failure();
    auto& info = reader_.info;
    SHOAL_TRY(const int channels, choose_colours(info));
    const auto pixels = std::uint64_t{info.image_width} * info.image_height;
    if (info.arith_code == FALSE && pixels / max_pixels_per_byte > reader_.feed->size())
      return fail(errc::malformed, "JPEG: {} x {} pixels cannot come from {} bytes",
                  info.image_width, info.image_height, reader_.feed->size());
    std::uint64_t working =
        rows_of_decoder * info.image_width * static_cast<std::uint64_t>(channels);
    const bool whole = jpeg_has_multiple_scans(&info) != FALSE;
    if (whole) working += coefficient_bytes(info);
    describe({static_cast<int>(info.image_width), static_cast<int>(info.image_height), channels,
              false, whole, working});
    return {};
  }

 private:
  result<void> decode(std::uint8_t* into, int count) override {
    if (!read_rows(reader_, into, static_cast<std::size_t>(row_bytes()), count)) return failure();
    return {};
  }

  error failure() const {
    if (reader_.failure) return *reader_.failure;
    return fail(errc::malformed, "JPEG: {}", reader_.errors.message);
  }

  jpeg_reader reader_;
};

} // namespace

result<std::unique_ptr<image_rows>> open_jpeg_rows(std::unique_ptr<byte_feed> feed) {
  auto rows = std::make_unique<jpeg_rows>();
  SHOAL_CHECK(rows->open(std::move(feed)));
  return std::unique_ptr<image_rows>(std::move(rows));
}

} // namespace shoal
