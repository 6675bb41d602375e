import CCPU
import Glibc
import Locks

/// The threads of this process that are pinned to compute, so that their use of their cores can be read from any
/// thread.
enum PinnedThreads {
    private struct Table {
        var entries: [(key: Int, thread: Int, core: @Sendable () -> Int)] = []
        var lastKey = 0
    }

    private static let table = Lock(Table())

    /// Enters the calling thread.
    /// - Parameter core: where it is at home
    /// - Returns: the key for `remove`
    static func add(_ core: @escaping @Sendable () -> Int) -> Int {
        let thread = Int(ccpu_thread_number())
        return table.withLock {
            $0.lastKey += 1
            $0.entries.append(($0.lastKey, thread, core))
            return $0.lastKey
        }
    }

    static func remove(_ keys: [Int]) { table.withLock { $0.entries.removeAll { keys.contains($0.key) } } }

    /// By the system's number of a thread; what it led last counts.
    static var all: [Int: Int] {
        table.withLock { Dictionary($0.entries.map { ($0.thread, $0.core()) }) { _, last in last } }
    }
}

extension CoreUse {
    /// As the system tells it now. Where it doesn't tell a thread's delay the thread is left out.
    package static func now() -> CoreUse {
        let threads = PinnedThreads.all.sorted { $0.key < $1.key }.compactMap { id, core in
            SystemFile.text("/proc/self/task/\(id)/schedstat").flatMap(schedstat).map {
                Thread(id: id, core: core, onCore: $0.onCore, delayed: $0.delayed)
            }
        }
        var process = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process)
        return CoreUse(
            wall: MonotonicClock.seconds, process: Double(process.tv_sec) + 1e-9 * Double(process.tv_nsec),
            throttled: Throttling.seconds, threads: threads)
    }
}
