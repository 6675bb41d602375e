import CSignals
import Glibc

/// The signals that ask a run to save and stop: SIGTERM (a batch system's end), SIGUSR1 (its warning), SIGINT (Ctrl-C). The first one
/// is noted, and the ranks agree on it at the next step's boundary; a second one ends the process at once.
///
/// Nothing here may be inlined elsewhere: each object file that calls the C functions would get a state of its own.
package enum StopSignals {
    private static let numbers = [SIGTERM, SIGUSR1, SIGINT]

    /// From here on these signals no longer end the process, not even where its parent had them ignored. Before MPI and threads.
    @inline(never)
    package static func install() {
        // A file that grows past the limit on its size is an error like a full disk, not the end of the run.
        signal(SIGXFSZ, SIG_IGN)
        for number in numbers where csignals_install(number) != 0 {
            preconditionFailure("signal \(number) cannot be handled: \(String(cString: strerror(errno)))")
        }
    }

    /// The number of the first signal that has come; 0: none.
    package static var first: Int32 {
        @inline(never) get { csignals_first() }
    }

    package static func name(_ number: Int) -> String {
        switch Int32(number) {
        case SIGTERM: "SIGTERM"
        case SIGUSR1: "SIGUSR1"
        case SIGINT: "SIGINT"
        default: "signal \(number)"
        }
    }
}
