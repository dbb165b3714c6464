#pragma once

#include "kernels/kernel.hpp"
#include "kernels/recurrent.hpp"

namespace shoal::reference {

/// Bytes of scratch that `recurrent` needs.
std::size_t recurrent_scratch(const recurrent_problem& p);

/// Inputs as in `recurrent_operand`, outputs Y, the last h and, for LSTM, the last c; those without
/// data are absent. All of one floating type, but for the lengths. States stay double from step to
/// step. The last states of a sequence of length 0 are 0. Throws `kernel_error` for a length that
/// is none.
void recurrent(const recurrent_problem& p, const kernel_io& io);

/// The steps of sequence `b`; throws `kernel_error` when the given length is out of range.
std::int64_t sequence_length(const recurrent_problem& p, const kernel_io& io, std::int64_t b);

/// Operand `i`, or a view without data.
inline const_view operand_or_none(const kernel_io& io, std::size_t i) {
  return i < io.inputs.size() ? io.inputs[i] : const_view{};
}

/// f(x) in double.
double apply(const gate_function& f, double x);

} // namespace shoal::reference
