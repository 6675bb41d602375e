#include "csignals.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The first signal that came (0: none) and when, in milliseconds of the monotonic clock. */
static atomic_int first;
static atomic_llong first_at;

/* One that comes later than this many milliseconds ends the process at once, by itself: sooner it is the same request, which launchers pass
   on along two ways. */
enum { same = 200 };

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void handle(int number, siginfo_t *info, void *context) {
  (void)context;
  /* So the system tells of a write of this process into a pipe that nobody reads: that is the write's error, and no request. */
  if (number == SIGPIPE && info->si_code == SI_USER && info->si_pid == getpid()) return;
  int none = 0;
  if (atomic_compare_exchange_strong(&first, &none, number)) {
    atomic_store(&first_at, now());
    return;
  }
  /* The system repeats it each second until the hard limit on CPU time: there is still time to save. */
  if (number == SIGXCPU && info->si_code == SI_KERNEL) return;
  const long long at = atomic_load(&first_at);
  /* 0: the first one's handler, in another thread, is just noting the time. */
  if (at == 0 || now() - at <= same) return;
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, 0);
}

/* Signals that this process was started to ignore. They are looked up before libraries begin: UCX, below MPICH, takes SIGHUP for itself then,
   and after that nobody knows any more what `nohup` had set. */
static sigset_t ignored;

static void note_ignored(int count, char **words, char **environment) {
  (void)count, (void)words, (void)environment;
  sigemptyset(&ignored);
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, 0, &action) == 0 && action.sa_handler == SIG_IGN) sigaddset(&ignored, number);
  }
}

__attribute__((section(".preinit_array"), used)) static void (*const begin)(int, char **, char **) = note_ignored;

int csignals_install(int number, int unless_ignored) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (unless_ignored && sigismember(&ignored, number) == 1) {
    action.sa_handler = SIG_IGN;
  } else {
    action.sa_sigaction = handle;
    action.sa_flags |= SA_SIGINFO;
  }
  return sigaction(number, &action, 0);
}

int csignals_first(void) { return atomic_load(&first); }
