#pragma once
/* Why C: cpuid and xgetbv are instructions that Swift has no name for. */
#if defined(__x86_64__)
#include <cpuid.h>

static inline unsigned long long ccpu_xgetbv(void) {
  unsigned lo, hi;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return ((unsigned long long)hi << 32) | lo;
}

/* 5: x86-64-v4 and AVX512-BF16, 4: x86-64-v4 (AVX-512 F, BW, CD, DQ, VL), 3: x86-64-v3 (AVX2, FMA, BMI, F16C), 0: less.
   Asks the operating system too: a level counts only if its registers are saved. */
static inline int ccpu_level(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  const unsigned need1 = bit_FMA | bit_AVX | bit_OSXSAVE | bit_MOVBE | bit_F16C;
  if ((c & need1) != need1) return 0;
  const unsigned long long saved = ccpu_xgetbv();
  if ((saved & 0x6) != 0x6) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned need3 = bit_AVX2 | bit_BMI | bit_BMI2;
  if ((b & need3) != need3) return 0;
  const unsigned need4 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
  if ((b & need4) != need4 || (saved & 0xe6) != 0xe6) return 3;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d)) return 4;
  return (a & (1u << 5)) != 0 ? 5 : 4;
}
#else
static inline int ccpu_level(void) { return 0; }
#endif

/* Tells the core that this is a spin loop. */
static inline void ccpu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#if defined(__linux__)
#include <sys/prctl.h>
#endif

/* Names the calling thread for debuggers and profilers; Linux keeps 15 characters. In C because prctl is variadic. */
static inline void ccpu_name_thread(const char *name) {
#if defined(__linux__)
  prctl(PR_SET_NAME, name);
#else
  (void)name;
#endif
}
