#pragma once
/* Why C: cpuid and xgetbv are instructions that Swift has no name for, and syscall and prctl are variadic. */
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

/* Whether AMD made the CPU. */
static inline int ccpu_is_amd(void) {
  unsigned a, b, c, d;
  return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx && d == signature_AMD_edx && c == signature_AMD_ecx;
}
#else
static inline int ccpu_level(void) { return 0; }
static inline int ccpu_is_amd(void) { return 0; }
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
#include <linux/futex.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while *word is `expected`, until a wake-up or for `timeout` at most (null: for ever); it may also return for nothing. */
static inline void ccpu_sleep_while(const void *word, unsigned expected, const struct timespec *timeout) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout, 0, 0);
}

/* The system's number of the calling thread. */
static inline int ccpu_thread_number(void) { return (int)syscall(SYS_gettid); }

/* Wakes all threads of this process that sleep on `word`. */
static inline void ccpu_wake_all(const void *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0, 0, 0);
}
#endif

/* Names the calling thread for debuggers and profilers; Linux keeps 15 characters. */
static inline void ccpu_name_thread(const char *name) {
#if defined(__linux__)
  prctl(PR_SET_NAME, name);
#else
  (void)name;
#endif
}

/* All threads allocate from one heap instead of one each. */
static inline void ccpu_share_heap(void) {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
#endif
}
