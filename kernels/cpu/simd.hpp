#pragma once

/// Marks a function of which the compiler makes one clone per instruction set, chosen when the
/// program is loaded. The build defines SHOAL_TARGET_CLONES where compiler and loader can do that.
/// Contraction of a * b + c is off (see cmake/ShoalTargets.cmake), so that all clones give the same
/// bits.
#if SHOAL_TARGET_CLONES
#define SHOAL_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SHOAL_MULTIVERSION
#endif

/// For what a multi-versioned function is made of: it has to take on the caller's instruction set.
#define SHOAL_INLINE [[gnu::always_inline]] inline
