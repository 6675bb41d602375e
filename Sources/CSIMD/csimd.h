#pragma once
/* Why C: element-wise max and min, pair swaps, partial loads and stores and horizontal sums compile to an instruction or a
   short tree here; the standard library's forms are several times slower. Imported, `csimd_f16` is SIMD16<Float>. */
#include <string.h>
#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif
#define CSIMD_FN static inline __attribute__((always_inline))

/* a b + c for vectors of any width, rounded once where the CPU can. */
#if defined(__FMA__) || defined(__aarch64__)
#define CS_FUSED(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define CS_FUSED(a, b, c) ((a) * (b) + (c))
#endif
typedef float csimd_f16 __attribute__((ext_vector_type(16)));
typedef float csimd_f8 __attribute__((ext_vector_type(8)));

CSIMD_FN csimd_f16 cs_max(csimd_f16 a, csimd_f16 b) { return __builtin_elementwise_max(a, b); }
CSIMD_FN csimd_f16 cs_min(csimd_f16 a, csimd_f16 b) { return __builtin_elementwise_min(a, b); }
CSIMD_FN csimd_f16 cs_sqrt(csimd_f16 a) { return __builtin_elementwise_sqrt(a); }
/* (1, 0, 3, 2, ...) */
CSIMD_FN csimd_f16 cs_swap_pairs(csimd_f16 v) {
  return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
/* Always the same tree, so every CPU level gives the same bits. */
CSIMD_FN float cs_hsum(csimd_f16 v) {
  csimd_f8 a = v.lo + v.hi;
  __typeof__(a.lo) b = a.lo + a.hi;
  __typeof__(b.lo) c = b.lo + b.hi;
  return c.x + c.y;
}
CSIMD_FN float cs_hmax(csimd_f16 v) {
  csimd_f8 a = __builtin_elementwise_max(v.lo, v.hi);
  __typeof__(a.lo) b = __builtin_elementwise_max(a.lo, a.hi);
  __typeof__(b.lo) c = __builtin_elementwise_max(b.lo, b.hi);
  return c.x > c.y ? c.x : c.y;
}
/* The first n < 16 lanes, zeros above; nothing beyond them is touched. */
CSIMD_FN csimd_f16 cs_load_first(const float *p, long n) {
#if defined(__AVX512F__)
  return (csimd_f16)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  csimd_f16 v = (csimd_f16)(0.0f);
  memcpy(&v, p, (size_t)n * sizeof(float));
  return v;
#endif
}
CSIMD_FN void cs_store_first(float *p, csimd_f16 v, long n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  memcpy(p, &v, (size_t)n * sizeof(float));
#endif
}
