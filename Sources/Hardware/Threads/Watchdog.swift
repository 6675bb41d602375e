import Glibc
import Locks

/// Ends the process when one of its threads gives no sign of life for too long: stuck in a kernel, in a file of a
/// server that is gone, in a call of a library that waits for ever. Nothing within the thread could notice that.
///
/// Time in which the whole process was stopped doesn't count.
package final class Watchdog: Sendable {
    /// Seconds without a sign of life until it is told.
    private let patience: Lock<Double>
    /// Seconds from then to the end: others may know more, and be about to say so.
    private let grace: Double
    private let exitCode: Int32
    private let heartbeats = Lock<[Heartbeat]>([])

    /// Starts to watch; until the process ends.
    package init(patience: Double, grace: Double, exitCode: Int32) throws {
        self.patience = Lock(patience)
        self.grace = grace
        self.exitCode = exitCode
        // Nobody joins the thread: it goes with the process.
        try PosixThread.detached(name: "gecko watchdog") { self.watch() }
    }

    package func watch(_ heartbeat: Heartbeat) { heartbeats.withLock { $0.append(heartbeat) } }

    package func setPatience(_ seconds: Double) { patience.withLock { $0 = seconds } }

    private struct Silence {
        var count: Int?
        var clock = WaitClock()
        var isTold = false
    }

    private func watch() -> Never {
        var silences: [Silence] = []
        while true {
            let patience = patience.withLock { $0 }
            usleep(UInt32(1e6 * min(0.1, max(0.01, patience / 20))))
            let heartbeats = heartbeats.withLock { $0 }
            while silences.count < heartbeats.count { silences.append(Silence()) }
            for (i, heartbeat) in heartbeats.enumerated() {
                let count = heartbeat.count
                guard let count, count == silences[i].count else {
                    silences[i] = Silence(count: count)
                    continue
                }
                let seconds = silences[i].clock.tick()
                if seconds >= patience, !silences[i].isTold {
                    silences[i].isTold = true
                    tell(heartbeat, patience, others: heartbeats.filter { $0 !== heartbeat })
                }
                if seconds >= patience + grace {
                    complain("Error: \(heartbeat.name) is still stuck: giving up")
                    _exit(exitCode)
                }
            }
        }
    }

    private func tell(_ heartbeat: Heartbeat, _ patience: Double, others: [Heartbeat]) {
        var text = "Error: \(heartbeat.name) has given no sign of life for \(patience) s: it \(heartbeat.activity)"
        text += " (process \(getpid())). It is stuck in a computation, a file or a call of MPI,"
        text += " or a single one of these takes longer than machine.patience."
        for other in others { text += "\n\(other.name) \(other.activity)." }
        complain(text)
    }

    /// Without locks that a stuck thread may hold, and without waiting for who doesn't read.
    private func complain(_ text: String) {
        var bytes = Array((text + "\n").utf8)[...]
        while !bytes.isEmpty {
            var request = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            guard poll(&request, 1, 2000) > 0 else { return }
            let count = bytes.prefix(Int(PIPE_BUF)).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes.removeFirst(count)
        }
    }
}
