import Glibc

/// Time that only goes forward, for measuring spans and deadlines.
package enum MonotonicClock {
    /// Seconds since an arbitrary moment. On Linux every process of a node shares that moment.
    @inline(__always)
    package static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}

/// Time for which the calling thread has had a core.
package enum ThreadClock {
    /// Seconds since the thread began. A system call, unlike the monotonic clock.
    package static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
