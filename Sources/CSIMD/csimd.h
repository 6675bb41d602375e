#pragma once
/* Why C: element-wise max and min of a vector and its horizontal sum compile to one instruction or a short tree here;
   the standard library's forms are several times slower. Imported, `csimd_f16` is SIMD16<Float>. */
#define CSIMD_FN static inline __attribute__((always_inline))
typedef float csimd_f16 __attribute__((ext_vector_type(16)));
typedef float csimd_f8 __attribute__((ext_vector_type(8)));

CSIMD_FN csimd_f16 cs_max(csimd_f16 a, csimd_f16 b) { return __builtin_elementwise_max(a, b); }
CSIMD_FN csimd_f16 cs_min(csimd_f16 a, csimd_f16 b) { return __builtin_elementwise_min(a, b); }
CSIMD_FN csimd_f16 cs_sqrt(csimd_f16 a) { return __builtin_elementwise_sqrt(a); }
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
