import Files
import Foundation
import Hardware
import MPI
import Synchronization

/// Watches for signals while a run starts. From the first step on a signal is seen at every step's boundary; before it,
/// reading, laying out and waiting for other ranks can take long. Where the run doesn't come to its first boundary soon
/// after a signal, the process ends: nothing has been trained, and what was saved before is untouched.
enum StartUp {
    /// Seconds in which a run that starts quickly leaves in good order.
    private static let grace = 5.0
    private static let isOver = Atomic<Bool>(false)

    /// Begins to watch, on a thread of its own.
    static func watch() throws {
        try PosixThread.detached(name: "gecko start") {
            var since: Double?
            while !isOver.load(ordering: .relaxed) {
                usleep(50_000)
                guard StopSignals.first != 0 else { continue }
                let first = since ?? MonotonicClock.seconds
                since = first
                guard MonotonicClock.seconds - first > grace, !isOver.load(ordering: .relaxed) else { continue }
                // The launcher tells all ranks; the first speaks for them.
                let isRoot = (Launcher.rank(ProcessInfo.processInfo.environment) ?? 0) == 0
                let say = isRoot ? Console.say : { _ in }
                say(
                    "stopped by \(StopSignals.name(Int(StopSignals.first))) while the run was starting: nothing new to "
                        + "save; the same command starts again. Exit code \(ExitStatus.requeue)")
                _exit(ExitStatus.requeue)
            }
        }
    }

    /// The run has come to its loop.
    static func end() { isOver.store(true, ordering: .relaxed) }
}
