#pragma once
/* Normal numbers by Box-Muller, eight at a time in double, as exact as a float needs to be known.
   Why C: half of it is bit patterns and conversions between integers and doubles, which the standard library does lane by lane.

   A number is what the C library's log and cos make of two words of the counter-based generator (Threefry-2x32-20, as in Dropout.swift): one
   float, whatever the CPU. The polynomials here are others than the library's, and both stay within 2^-48 of the radius; so where everything
   within 2^-44 rounds to the same float, that is the float. Elsewhere, about once in 10^5, a NaN asks the caller to go the slow way. */
#include <stdint.h>
#include "csimd.h"

/* See csimd_pack.h: all of it is inlined. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

typedef double csimd_d8 __attribute__((ext_vector_type(8)));
typedef int32_t csimd_i8 __attribute__((ext_vector_type(8)));
typedef uint32_t csimd_u8 __attribute__((ext_vector_type(8)));
typedef uint32_t csimd_u16 __attribute__((ext_vector_type(16)));
typedef int64_t csimd_l8 __attribute__((ext_vector_type(8)));
typedef uint64_t csimd_w8 __attribute__((ext_vector_type(8)));

CSIMD_FN csimd_d8 cs_fma8(csimd_d8 a, csimd_d8 b, csimd_d8 c) { return CS_FUSED(a, b, c); }

/* c0 + c1 x + c2 x^2 + ... */
#define CS_POLYNOMIAL(x, ...) cs_polynomial(x, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))
CSIMD_FN csimd_d8 cs_polynomial(csimd_d8 x, const double *c, long count) {
  csimd_d8 y = (csimd_d8)(c[count - 1]);
  for (long i = count - 2; i >= 0; i--) y = cs_fma8(y, x, (csimd_d8)(c[i]));
  return y;
}

/* 2^52 + n, whose low bits are n. */
#define CS_MAGIC 0x4330000000000000ull
CSIMD_FN csimd_d8 cs_doubles(csimd_u8 n) {
  return (csimd_d8)(__builtin_convertvector(n, csimd_w8) | CS_MAGIC) - 0x1p52;
}

/* The upper 53 bits of (high, low) as a number in [0, 1). */
CSIMD_FN csimd_d8 cs_uniform(csimd_u8 high, csimd_u8 low) {
  return cs_doubles(high) * 0x1p-32 + cs_doubles(low >> 11) * 0x1p-53;
}

/* log u for normal u > 0: u = 2^k m with m in [sqrt(1/2), sqrt(2)) (fdlibm's reduction and coefficients). */
CSIMD_FN csimd_d8 cs_log8(csimd_d8 u) {
  const uint64_t root = 0x3fe6a09eull << 32, one = 0x3ff00000ull << 32;
  const csimd_w8 bits = (csimd_w8)u + (one - root);
  const csimd_d8 k = (csimd_d8)((bits >> 52) | CS_MAGIC) - (0x1p52 + 1023);
  const csimd_d8 f = (csimd_d8)((bits & 0xfffffffffffffull) + root) - 1;
  const csimd_d8 s = f / (f + 2), z = s * s, half = f * f * 0.5;
  const csimd_d8 r = z * CS_POLYNOMIAL(z, 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
      2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01);
  const csimd_d8 tail = half - cs_fma8(s, half + r, k * 1.90821492927058770002e-10);
  return cs_fma8(k, (csimd_d8)(6.93147180369123816490e-01), f - tail);
}

/* cos 2 pi v for v in [0, 1]: a quarter turn q and the rest, |rest| <= pi / 4 (fdlibm's coefficients). */
CSIMD_FN csimd_d8 cs_cos_turns(csimd_d8 v) {
  const csimd_d8 t = v * 4 + 0x1.8p52;
  const csimd_w8 q = (csimd_w8)t;
  const csimd_d8 x = (v - (t - 0x1.8p52) * 0.25) * 6.283185307179586, z = x * x;
  const csimd_d8 sine = cs_fma8(z * x, CS_POLYNOMIAL(z, -1.66666666666666324348e-01, 8.33333333332248946124e-03,
      -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10), x);
  const csimd_d8 cosine = cs_fma8(z * z, CS_POLYNOMIAL(z, 4.16666666666666019037e-02, -1.38888888888741095749e-03,
      2.48015872894767294178e-05, -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11),
      1 - z * 0.5);
  const csimd_w8 odd = 0 - (q & 1);
  const csimd_w8 bits = ((csimd_w8)sine & odd) | ((csimd_w8)cosine & ~odd);
  return (csimd_d8)(bits ^ (((q + 1) & 2) << 62));
}

/* Words `counter`..`counter` + 15 of the stream with key (k0, k1): their low halves in *low, the high ones in *high. */
CSIMD_FN void cs_words16(uint32_t k0, uint32_t k1, uint64_t counter, csimd_u16 *low, csimd_u16 *high) {
  const csimd_u16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const uint32_t keys[3] = {k0, k1, 0x1BD11BDA ^ k0 ^ k1};
  static const uint32_t turns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  csimd_u16 x = (uint32_t)counter + lane;
  /* Carry into the high word where the low one wrapped. */
  csimd_u16 y = (uint32_t)(counter >> 32) - (csimd_u16)(x < (uint32_t)counter);
  x += k0;
  y += k1;
  _Pragma("clang loop unroll(full)") for (uint32_t round = 0; round < 20; round++) {
    const uint32_t turn = turns[round / 4 % 2][round % 4];
    x += y;
    y = ((y << turn) | (y >> (32 - turn))) ^ x;
    if (round % 4 == 3) {
      const uint32_t next = round / 4 + 1;
      x += keys[next % 3];
      y += keys[(next + 1) % 3] + next;
    }
  }
  *low = x;
  *high = y;
}

/* out[i] = deviation g(first + i) for i < n, g(j) = sqrt(-2 log(1 - word 2j)) cos(2 pi word 2j+1), words in [0, 1); NaN where that is not
   known for certain or |g| may not be below `limit`. The number of NaNs. */
CSIMD_FN long cs_normals(float *out, long n, uint32_t k0, uint32_t k1, uint64_t first, double deviation, double limit) {
  long unsure = 0;
  for (long i = 0; i < n; i += 8) {
    csimd_u16 low, high;
    cs_words16(k0, k1, 2 * (first + (uint64_t)i), &low, &high);
    const csimd_d8 radius = __builtin_elementwise_sqrt(cs_log8(1 - cs_uniform(high.even, low.even)) * -2);
    const csimd_d8 g = radius * cs_cos_turns(cs_uniform(high.odd, low.odd));
    const csimd_d8 error = radius * 0x1p-44;
    const csimd_f8 a = __builtin_convertvector(g * deviation - error * deviation, csimd_f8);
    const csimd_f8 b = __builtin_convertvector(g * deviation + error * deviation, csimd_f8);
    const csimd_l8 within = (error > 0) & (__builtin_elementwise_abs(g) + error < limit);
    const csimd_i8 sure = ((csimd_i8)a == (csimd_i8)b) & __builtin_convertvector(within, csimd_i8);
    const csimd_f8 values = (csimd_f8)(((csimd_i8)a & sure) | (~sure & 0x7fc00000));
    const long count = n - i < 8 ? n - i : 8;
    memcpy(out + i, &values, (size_t)count * sizeof(float));
    for (long lane = 0; lane < count; lane++) unsure += 1 + sure[lane];
  }
  return unsure;
}
#pragma clang diagnostic pop
