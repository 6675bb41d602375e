#pragma once
/* Why C: a signal handler may do only what is async-signal-safe, which Swift promises of nothing. */

/* From here on the signal is noted. With `unless_ignored` one that this process was started to ignore stays ignored. 0, or -1 with errno. */
int csignals_install(int number, int unless_ignored);

/* The number of the first signal that has come; 0: none. */
int csignals_first(void);
