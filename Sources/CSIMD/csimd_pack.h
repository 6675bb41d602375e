#pragma once
/* Packing: a block of a matrix becomes panels of `width` rows (or columns), [panel][word][width], as csimd_tile.h reads them; what a last
   panel lacks is zero. Written eight lanes at a time, which divides every tile but the narrow ones. Panels may be written up to 8 words beyond
   their end: leave room. */
#include "csimd_tile.h"

typedef float csimd_f8u __attribute__((ext_vector_type(8), aligned(4)));

CSIMD_FN csimd_f8 cs_load8(const float *p) { return *(const csimd_f8u *)p; }
CSIMD_FN void cs_store8(float *p, csimd_f8 v) { *(csimd_f8u *)p = v; }

CSIMD_FN void cs_transpose8(csimd_f8 r[8]) {
  csimd_f8 t[8];
  CS_UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  csimd_f8 u[8];
  CS_UNROLL for (int i = 0; i < 8; i += 4) {
    u[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 1] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    u[i + 2] = __builtin_shufflevector(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 3] = __builtin_shufflevector(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  CS_UNROLL for (int i = 0; i < 4; i++) {
    r[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/* Source [count, k], k contiguous. STEP floats make a word; WORDS8 reads eight words. Whole lines of eight rows are read at a time: rows may
   lie a page apart, where a line that is read by halves would be gone before its second half's turn. */
#define CS_PACK_ROWS(NAME, STEP, WORDS8)                                                                    \
  __attribute__((unused)) static void NAME(float *to, const float *x, long ld, long count, long k, long width) { \
    const long words = (k + STEP - 1) / STEP;                                                               \
    for (long first = 0; first < count; first += width, to += words * width)                                \
      for (long part = 0; part < width; part += 8) {                                                        \
        const float *row = x + (first + part) * ld;                                                         \
        float *o = to + part;                                                                               \
        const long left = count - first - part, rows = left < 0 ? 0 : left < 8 ? left : 8;                  \
        long p = 0;                                                                                         \
        for (; rows == 8 && (p + 16) * STEP <= k; p += 16) {                                                \
          csimd_f8 r[2][8];                                                                                 \
          CS_UNROLL for (int i = 0; i < 8; i++) {                                                           \
            r[0][i] = WORDS8(row + i * ld + p * STEP);                                                      \
            r[1][i] = WORDS8(row + i * ld + (p + 8) * STEP);                                                \
          }                                                                                                 \
          cs_transpose8(r[0]);                                                                              \
          cs_transpose8(r[1]);                                                                              \
          CS_UNROLL for (long j = 0; j < 16; j++) cs_store8(o + (p + j) * width, r[j / 8][j % 8]);          \
        }                                                                                                   \
        for (; p < words; p += 8) {                                                                         \
          csimd_f8 r[8];                                                                                    \
          const long rest = k - p * STEP < 8 * STEP ? k - p * STEP : 8 * STEP;                              \
          for (int i = 0; i < 8; i++) {                                                                     \
            float edge[8 * STEP] = {0};                                                                     \
            if (i < rows && part + i < width) memcpy(edge, row + i * ld + p * STEP, (size_t)rest * sizeof(float)); \
            r[i] = WORDS8(edge);                                                                            \
          }                                                                                                 \
          cs_transpose8(r);                                                                                 \
          const long end = words - p < 8 ? words - p : 8;                                                   \
          for (long j = 0; j < end; j++) cs_store8(o + (p + j) * width, r[j]);                              \
        }                                                                                                   \
      }                                                                                                     \
  }

/* Source [k, count], the panels' rows contiguous. WORDS8 makes eight words of one row and the next (null: zeros). A few lines of each row
   are read together and go to a few panels: more would be written in turn than a set of the first-level cache has ways. Two rows of words
   are written together, so that narrow panels get whole lines, too. */
#define CS_PACK_COLUMNS(NAME, STEP, WORDS8)                                                                 \
  __attribute__((unused)) static void NAME(float *to, const float *x, long ld, long count, long k, long width) { \
    const long words = (k + STEP - 1) / STEP, group = 64 / width * width;                                   \
    for (long from = 0; from < count; from += group) {                                                      \
      const long end = from + group < count ? from + group : count;                                         \
      long p = 0;                                                                                           \
      for (; width % 8 == 0 && end - from == group && (p + 2) * STEP <= k; p += 2) {                        \
        const float *a = x + p * STEP * ld, *b = a + STEP * ld;                                             \
        for (long first = from; first < end; first += width)                                                \
          for (long i = first; i < first + width; i += 8) {                                                 \
            float *o = to + first * words + p * width + i - first;                                          \
            const csimd_f8 v = WORDS8(a + i, a + ld + i), u = WORDS8(b + i, b + ld + i);                    \
            cs_store8(o, v);                                                                                \
            cs_store8(o + width, u);                                                                        \
          }                                                                                                 \
      }                                                                                                     \
      for (; p < words; p++) {                                                                              \
        const float *a = x + p * STEP * ld, *b = p * STEP + 1 < k ? a + ld : 0;                             \
        for (long first = from; first < end; first += width)                                                \
          for (long part = 0; part < width; part += 8) {                                                    \
            float *o = to + first * words + p * width + part;                                               \
            const long i = first + part, left = count - i, lanes = width - part < 8 ? width - part : 8;     \
            /* What a narrow panel has no room for falls into its next word, which is written later. */           \
            if (left >= 8 && (lanes == 8 || (width < 8 && p + 1 < words))) {                                \
              cs_store8(o, WORDS8(a + i, b ? b + i : 0));                                                   \
            } else {                                                                                        \
              const long rest = left < 0 ? 0 : left < lanes ? left : lanes;                                 \
              float ea[8] = {0}, eb[8] = {0};                                                               \
              if (rest > 0) memcpy(ea, a + i, (size_t)rest * sizeof(float));                                \
              if (rest > 0 && b) memcpy(eb, b + i, (size_t)rest * sizeof(float));                           \
              const csimd_f8 v = WORDS8(ea, eb);                                                            \
              memcpy(o, &v, (size_t)lanes * sizeof(float));                                                 \
            }                                                                                               \
          }                                                                                                 \
      }                                                                                                     \
    }                                                                                                       \
  }

/* Without AVX the eight lanes are two registers, which changes how they are passed, not what they are: all of it is inlined. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#define CS_PAIR_F32(a, b) cs_load8(a)
CS_PACK_ROWS(cs_pack_rows_f32, 1, cs_load8)
CS_PACK_COLUMNS(cs_pack_columns_f32, 1, CS_PAIR_F32)

#if defined(__AVX512BF16__)
/* Sixteen floats of a row as eight words of two. */
CSIMD_FN csimd_f8 cs_words_bf16(const float *p) { return (csimd_f8)_mm512_cvtneps_pbh(_mm512_loadu_ps(p)); }
/* Eight words of a row's float (low half) and the next row's (high half). */
CSIMD_FN csimd_f8 cs_pairs_bf16(const float *a, const float *b) {
  const __m256i low = _mm256_cvtepu16_epi32((__m128i)_mm256_cvtneps_pbh(_mm256_loadu_ps(a)));
  if (!b) return (csimd_f8)low;
  const __m256i high = _mm256_cvtepu16_epi32((__m128i)_mm256_cvtneps_pbh(_mm256_loadu_ps(b)));
  return (csimd_f8)_mm256_or_si256(low, _mm256_slli_epi32(high, 16));
}
CS_PACK_ROWS(cs_pack_rows_bf16, 2, cs_words_bf16)
CS_PACK_COLUMNS(cs_pack_columns_bf16, 2, cs_pairs_bf16)
#endif
#pragma clang diagnostic pop
