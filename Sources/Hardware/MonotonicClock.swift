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
