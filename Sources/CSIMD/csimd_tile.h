#pragma once
/* Matrix tiles: a few rows of C stay in registers while a panel of A and a panel of B go by.
   Why C: one macro writes the tile for float32 and for bfloat16, whose dot product is an intrinsic; and packing needs shuffles.

   A panel holds CS_TILE_ROWS rows of A (or CS_TILE_COLUMNS columns of B) for consecutive k: [k][rows]. A 32-bit word of a panel is a float, or
   two consecutive k of one row as bfloat16. Every element of C is one chain of fused multiply-adds over k, from 0 up, whatever the tile's
   shape: all levels with FMA give the same bits, and so does any cut of C into tiles. */
#include <stdbool.h>
#include "csimd.h"

#if defined(__AVX512F__)
#define CS_TILE_LANES 16
#define CS_TILE_ROWS 8
#elif defined(__AVX2__)
#define CS_TILE_LANES 8
#define CS_TILE_ROWS 6
#else
#define CS_TILE_LANES 4
#define CS_TILE_ROWS 4
#endif
#define CS_TILE_COLUMNS (2 * CS_TILE_LANES)
#define CS_UNROLL _Pragma("clang loop unroll(full)")

typedef float csimd_lanes __attribute__((ext_vector_type(CS_TILE_LANES)));
typedef float csimd_lanes_u __attribute__((ext_vector_type(CS_TILE_LANES), aligned(4)));

static inline long cs_tile_rows(void) { return CS_TILE_ROWS; }
static inline long cs_tile_columns(void) { return CS_TILE_COLUMNS; }

CSIMD_FN csimd_lanes cs_lanes(const float *p) { return *(const csimd_lanes_u *)p; }
CSIMD_FN void cs_put_lanes(float *p, csimd_lanes v) { *(csimd_lanes_u *)p = v; }
CSIMD_FN csimd_lanes cs_multiply_add(csimd_lanes a, csimd_lanes b, csimd_lanes c) { return CS_FUSED(a, b, c); }

/* C[rows, columns] = alpha * tile (+ C when add), from a full tile in memory. */
static inline void cs_tile_put_part(const float *tile, float *c, long ldc, long rows, long columns, float alpha, bool add) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      const float v = alpha * tile[i * CS_TILE_COLUMNS + j];
      c[i * ldc + j] = add ? c[i * ldc + j] + v : v;
    }
}

/* C[rows, columns] = alpha A B (+ C when add) for some rows of A and one panel of B with `steps` words each; rows and columns at most the tile's.
   Word p of row i lies at a[i * row + p * step]: in a panel that is (1, CS_TILE_ROWS), and rows behind the last one are there (`padded`). C is
   fetched while the tile is computed. */
#define CS_TILE(NAME, BROADCAST, STEP, WORDS)                                                                          \
  CSIMD_FN void NAME(long steps, const float *a, bool padded, long row, long step, const float *b, float *c, long ldc, \
                     long rows, long columns, float alpha, bool add) {                                                 \
    csimd_lanes s[CS_TILE_ROWS][2];                                                                                    \
    const float *x[CS_TILE_ROWS];                                                                                      \
    CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) x[i] = a + (padded || i < rows ? i : 0) * row;                    \
    for (long i = 0; i < rows; i++) {                                                                                  \
      __builtin_prefetch(c + i * ldc, 1);                                                                              \
      __builtin_prefetch(c + i * ldc + columns - 1, 1);                                                                \
    }                                                                                                                  \
    CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) s[i][0] = s[i][1] = (csimd_lanes)(0.0f);                          \
    for (long p = 0; p < steps; p++) {                                                                                 \
      const WORDS b0 = (WORDS)cs_lanes(b), b1 = (WORDS)cs_lanes(b + CS_TILE_LANES);                                    \
      CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) {                                                               \
        const WORDS v = BROADCAST(x[i][p * step]);                                                                     \
        s[i][0] = STEP(v, b0, s[i][0]);                                                                                \
        s[i][1] = STEP(v, b1, s[i][1]);                                                                                \
      }                                                                                                                \
      b += CS_TILE_COLUMNS;                                                                                            \
    }                                                                                                                  \
    if (rows == CS_TILE_ROWS && columns == CS_TILE_COLUMNS) {                                                          \
      if (alpha != 1.0f)                                                                                               \
        CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) {                                                             \
          s[i][0] *= alpha;                                                                                            \
          s[i][1] *= alpha;                                                                                            \
        }                                                                                                              \
      CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) {                                                               \
        float *o = c + i * ldc;                                                                                        \
        cs_put_lanes(o, add ? s[i][0] + cs_lanes(o) : s[i][0]);                                                        \
        cs_put_lanes(o + CS_TILE_LANES, add ? s[i][1] + cs_lanes(o + CS_TILE_LANES) : s[i][1]);                        \
      }                                                                                                                \
      return;                                                                                                          \
    }                                                                                                                  \
    float tile[CS_TILE_ROWS * CS_TILE_COLUMNS];                                                                        \
    CS_UNROLL for (int i = 0; i < CS_TILE_ROWS; i++) {                                                                 \
      cs_put_lanes(tile + i * CS_TILE_COLUMNS, s[i][0]);                                                               \
      cs_put_lanes(tile + i * CS_TILE_COLUMNS + CS_TILE_LANES, s[i][1]);                                               \
    }                                                                                                                  \
    cs_tile_put_part(tile, c, ldc, rows, columns, alpha, add);                                                         \
  }

#define CS_TILE_OF_PANELS(NAME, TILE)                                                                                  \
  __attribute__((unused)) static void NAME(long steps, const float *a, const float *b, float *c, long ldc, long rows,  \
                                           long columns, float alpha, bool add) {                                      \
    TILE(steps, a, true, 1, CS_TILE_ROWS, b, c, ldc, rows, columns, alpha, add);                                       \
  }

#define CS_BROADCAST_F32(x) ((csimd_lanes)(x))
CS_TILE(cs_tile_of_f32, CS_BROADCAST_F32, cs_multiply_add, csimd_lanes)
CS_TILE_OF_PANELS(cs_tile_f32, cs_tile_of_f32)
/* The same with A as it lies; alpha is 1. */
__attribute__((unused)) static void cs_tile_unpacked_f32(long steps, const float *a, long row, long step, const float *b, float *c, long ldc,
                                                         long rows, long columns, bool add) {
  cs_tile_of_f32(steps, a, false, row, step, b, c, ldc, rows, columns, 1.0f, add);
}

#if defined(__AVX512BF16__)
#define CS_BROADCAST_BF16(x) ((__m512bh)_mm512_set1_ps(x))
#define CS_DOT_BF16(x, y, s) ((csimd_lanes)_mm512_dpbf16_ps((__m512)(s), x, y))
CS_TILE(cs_tile_of_bf16, CS_BROADCAST_BF16, CS_DOT_BF16, __m512bh)
CS_TILE_OF_PANELS(cs_tile_bf16, cs_tile_of_bf16)
#endif
