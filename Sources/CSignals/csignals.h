#pragma once
/* Why C: a signal handler may do only what is async-signal-safe, which Swift promises of nothing. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The first signal that came (0: none) and when, in milliseconds of the monotonic clock. One copy for each file that imports this:
   StopSignals.swift is the only one. */
typedef struct {
  atomic_int first;
  atomic_llong at;
} csignals_state;

static inline csignals_state *csignals_get(void) {
  static csignals_state state;
  return &state;
}

static inline long long csignals_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The first signal is noted. One that comes later than `csignals_same` milliseconds ends the process at once, by itself: sooner it is the
   same request, which launchers pass on along two ways. */
enum { csignals_same = 200 };

static inline void csignals_handle(int number, siginfo_t *info, void *context) {
  (void)context;
  /* So the system tells of a write of this process into a pipe that nobody reads: that is the write's error, and no request. */
  if (number == SIGPIPE && info->si_code == SI_USER && info->si_pid == getpid()) return;
  csignals_state *state = csignals_get();
  int none = 0;
  if (atomic_compare_exchange_strong(&state->first, &none, number)) {
    atomic_store(&state->at, csignals_now());
    return;
  }
  /* The system repeats it each second until the hard limit on CPU time: there is still time to save. */
  if (number == SIGXCPU && info->si_code == SI_KERNEL) return;
  const long long at = atomic_load(&state->at);
  /* 0: the first one's handler, in another thread, is just noting the time. */
  if (at == 0 || csignals_now() - at <= csignals_same) return;
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, 0);
}

/* With `unless_ignored` a signal that this process was started to ignore stays ignored. 0, or -1 with errno. */
static inline int csignals_install(int number, int unless_ignored) {
  struct sigaction old;
  if (unless_ignored && sigaction(number, 0, &old) == 0 && old.sa_handler == SIG_IGN) return 0;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = csignals_handle;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, 0);
}

static inline int csignals_first(void) { return atomic_load(&csignals_get()->first); }
