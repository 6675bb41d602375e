import CCPU
import Figures
import Glibc

/// What the shell or the batch system allows one process (`ulimit`).
package enum ResourceLimits {
    /// Nil: no limit.
    private static func limit(_ resource: __rlimit_resource) -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < UInt(Int.max) else {
            return nil
        }
        return Int(limit.rlim_cur)
    }

    /// Bytes of addresses (`ulimit -v`).
    package static var addressSpace: Int? { limit(RLIMIT_AS) }
    /// Bytes of private memory (`ulimit -d`).
    package static var data: Int? { limit(RLIMIT_DATA) }
    /// Files open at a time (`ulimit -n`).
    package static var openFiles: Int? { limit(RLIMIT_NOFILE) }

    /// Why no program of this kind gets anywhere under these limits; nil: it can begin. Looked at first: what fails
    /// later fails in libraries, without a word.
    package static var problem: String? {
        if let limit = addressSpace, limit - ProcessMemory.addresses < 64 << 20 {
            return "ulimit -v (RLIMIT_AS) leaves \(max(0, limit - ProcessMemory.addresses).asShortBytes) of "
                + "\(limit.asShortBytes): too little to begin with; raise it to 1 GiB or more"
        }
        if let limit = data, limit - ProcessMemory.privateData < 32 << 20 {
            return "ulimit -d (RLIMIT_DATA) leaves \(max(0, limit - ProcessMemory.privateData).asShortBytes) of "
                + "\(limit.asShortBytes): too little to begin with; raise it to 1 GiB or more"
        }
        if threadStack > ProcessMemory.ofTheNode {
            return "ulimit -s (RLIMIT_STACK) gives each thread a stack of \(threadStack.asShortBytes), more than there "
                + "is: set it to 8192 or to unlimited"
        }
        if let limit = openFiles, limit < 16 {
            return """
                ulimit -n (RLIMIT_NOFILE) allows \(limit) open files: too few to begin with; raise it to 1024 or more
                """
        }
        return nil
    }

    /// Lets the process do with what the limits leave. Before there are threads.
    package static func makeDo() {
        // malloc gives each thread 64 MiB of addresses of its own, whether or not it allocates.
        if addressSpace != nil { ccpu_share_heap() }
    }

    /// Files that are open now.
    package static var filesOpen: Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the folder itself.
        return max(0, count - 3)
    }

    /// Bytes that a new thread's stack takes of them.
    package static var threadStack: Int {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return 8 << 20 }
        defer { pthread_attr_destroy(&attributes) }
        var size = 0
        return pthread_attr_getstacksize(&attributes, &size) == 0 ? size : 8 << 20
    }
}
