import CSignals
import Glibc

/// The signals that ask a run to save and stop: SIGTERM (a batch system's end), SIGUSR1 (its warning), SIGINT (Ctrl-C). The first one
/// is noted, and the ranks agree on it at the next step's boundary; a second one ends the process at once.
package enum StopSignals {
    private static let numbers = [SIGTERM, SIGUSR1, SIGINT]

    /// From here on these signals no longer end the process, not even where its parent had them ignored. Before MPI and threads.
    package static func install() {
        for number in numbers where csignals_install(number) != 0 {
            preconditionFailure("signal \(number) cannot be handled: \(String(cString: strerror(errno)))")
        }
    }

    /// The number of the first signal that has come; 0: none.
    package static var first: Int32 { csignals_first() }

    package static func name(_ number: Int) -> String {
        switch Int32(number) {
        case SIGTERM: "SIGTERM"
        case SIGUSR1: "SIGUSR1"
        case SIGINT: "SIGINT"
        default: "signal \(number)"
        }
    }
}
