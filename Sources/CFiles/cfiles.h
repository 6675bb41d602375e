// Calls and flags of Linux for files that Swift's view of the C library leaves out: they are GNU extensions.
#pragma once
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

// The functions' own declarations need _GNU_SOURCE, which a module that is already built cannot be given. off_t is 64 bits here.
extern int fallocate(int, int, off_t, off_t);
extern int sync_file_range(int, off_t, off_t, unsigned int);

// Past the page cache.
static inline int cfiles_direct(void) { return __O_DIRECT; }

// A file without a name in this folder, or -1.
static inline int cfiles_open_nameless(const char *folder, int flags) {
    return open(folder, O_RDWR | O_CLOEXEC | __O_TMPFILE | flags, 0600);
}

// Takes the room on the disk; -1 with ENOSPC or EOPNOTSUPP.
static inline int cfiles_reserve(int file, off_t bytes) { return fallocate(file, 0, 0, bytes); }

// Waits until this part of the file has left for the disk.
static inline int cfiles_flush(int file, off_t start, off_t bytes) { return sync_file_range(file, start, bytes, 1 | 2 | 4); }
