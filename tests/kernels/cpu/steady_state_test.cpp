#include "kernels/cpu/convolution.hpp"
#include "kernels/cpu/matmul.hpp"
#include "kernels/cpu/pooling.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <omp.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

using namespace shoal;

namespace {

std::atomic<std::int64_t> largest_allocation{0};
std::atomic<std::int64_t> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  auto seen = largest_allocation.load();
  while (static_cast<std::int64_t>(size) > seen &&
         !largest_allocation.compare_exchange_weak(seen, static_cast<std::int64_t>(size))) {
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

} // namespace

// For the whole of test_kernels; they only count.
void* operator new(std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

/// Buffers for one run of a kernel: as large as any layout needs, filled with a pattern.
class operands {
 public:
  void add_input(const shape& dims, layout format) {
    inputs_.push_back({fill(dims), dtype::f32, format, dims});
  }
  void set_output(const shape& dims, layout format) {
    output_ = {fill(dims), dtype::f32, format, dims};
    output_bytes_ = static_cast<std::size_t>(stored_elements(dims, format)) * sizeof(float);
  }
  std::vector<std::byte> run(kernel& k) {
    scratch_.resize(k.scratch_bytes() + 64);
    void* aligned = scratch_.data();
    std::size_t space = scratch_.size();
    std::align(64, k.scratch_bytes(), aligned, space);
    const auto before = allocations.load();
    largest_allocation = 0;
    k.run({inputs_, {&output_, 1}, static_cast<std::byte*>(aligned)});
    allocated_ = allocations.load() - before;
    largest_ = largest_allocation.load();
    const auto* bytes = static_cast<const std::byte*>(output_.data);
    return {bytes, bytes + output_bytes_};
  }
  std::int64_t allocated() const { return allocated_; }
  std::int64_t largest() const { return largest_; }
  const void* input(std::size_t i) const { return inputs_[i].data; }

 private:
  float* fill(const shape& dims) {
    const auto widest = dims.rank() > 1 ? layout::blocked_16 : layout::plain;
    storage_.emplace_back(static_cast<std::size_t>(stored_elements(dims, widest)));
    auto& values = storage_.back();
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(static_cast<int>(i * 7919 % 257) - 128) / 128;
    return values.data();
  }

  std::vector<std::vector<float>> storage_;
  std::vector<const_view> inputs_;
  view output_;
  std::size_t output_bytes_ = 0;
  std::vector<std::byte> scratch_;
  std::int64_t allocated_ = 0, largest_ = 0;
};

/// Ten runs give the same bits and allocate next to nothing: oneDNN itself makes the small map of
/// its arguments in every call.
void check_steady(kernel& k, operands& o) {
  const auto first = o.run(k);
  for (int i = 0; i < 10; ++i) {
    CHECK(o.run(k) == first);
    CHECK(o.allocated() <= 20);
    CHECK(o.largest() <= 1024);
  }
}

} // namespace

TEST_CASE("Convolutions give the same bits in every run, and allocate no memory of theirs") {
  for (const int threads : {1, 2})
    for (const std::int64_t channels : {16, 17, 64}) {
      INFO("threads ", threads, " channels ", channels);
      omp_set_num_threads(threads);
      const shape x{2, channels, 28, 28}, w{channels, channels, 3, 3};
      const auto k = kernels::make_convolution({.source = x,
                                                .weights = w,
                                                .target = x,
                                                .at = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
                                                .has_residual = true,
                                                .then = {activation::kind::relu}},
                                               threads);
      REQUIRE(k);
      operands o;
      o.add_input(x, k->input_layout(0));
      o.add_input(w, layout::plain);
      o.add_input({channels}, layout::plain);
      o.add_input(x, k->input_layout(3));
      o.set_output(x, k->output_layout(0));
      check_steady(*k, o); // weights converted in every run
      const auto converted = o.run(*k);
      const std::shared_ptr<void> packed(std::aligned_alloc(64, (k->packed_bytes() + 63) / 64 * 64),
                                         std::free);
      k->pack(o.input(1), packed.get());
      k->use_packed(packed);
      check_steady(*k, o);
      CHECK(o.run(*k) == converted);
    }
}

TEST_CASE("Products and pools give the same bits in every run, and allocate no memory of theirs") {
  for (const int threads : {1, 2}) {
    omp_set_num_threads(threads);
    const auto product = kernels::make_matmul(
        {.a_batch = {4}, .b_batch = {4}, .rows = 33, .columns = 65, .length = 129}, threads);
    REQUIRE(product);
    operands p;
    p.add_input({4, 33, 129}, layout::plain);
    p.add_input({4, 129, 65}, layout::plain);
    p.set_output({4, 33, 65}, layout::plain);
    check_steady(*product, p);

    const shape x{2, 32, 28, 28}, y{2, 32, 14, 14};
    const auto pool = kernels::make_pooling(kernels::pooling::average, x, y,
                                            {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, dtype::f32,
                                            layout::plain, threads);
    REQUIRE(pool);
    operands q;
    q.add_input(x, pool->input_layout(0));
    q.set_output(y, pool->output_layout(0));
    check_steady(*pool, q);
  }
}
