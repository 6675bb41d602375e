import Glibc

/// What the shell or the batch system allows one process (`ulimit`).
package enum ResourceLimits {
    /// Nil: no limit.
    private static func limit(_ resource: __rlimit_resource) -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < UInt(Int.max) else { return nil }
        return Int(limit.rlim_cur)
    }

    /// Bytes of addresses (`ulimit -v`).
    package static var addressSpace: Int? { limit(RLIMIT_AS) }
    /// Bytes of private memory (`ulimit -d`).
    package static var data: Int? { limit(RLIMIT_DATA) }
    /// Files open at a time (`ulimit -n`).
    package static var openFiles: Int? { limit(RLIMIT_NOFILE) }

    /// Bytes that a new thread's stack takes of them.
    package static var threadStack: Int {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return 8 << 20 }
        defer { pthread_attr_destroy(&attributes) }
        var size = 0
        return pthread_attr_getstacksize(&attributes, &size) == 0 ? size : 8 << 20
    }
}
