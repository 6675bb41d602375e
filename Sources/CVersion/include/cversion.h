#pragma once
/* Why C: a target of Swift can't be given a text when it is compiled, and this one is compiled again with every commit. */

/* The commit that this was built from, with "+" behind it if files had been changed; "" where the build couldn't know. */
const char *cversion_commit(void);
