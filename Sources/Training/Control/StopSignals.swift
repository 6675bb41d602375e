import CSignals
import Glibc

/// The signals that ask a run to save and stop. The first one is noted, and the ranks agree on it at the next step's
/// boundary; a second one ends the process at once.
package enum StopSignals {
    private struct Request {
        let number: Int32
        let name: String
        /// Whether it stays ignored where the parent had it ignored.
        let mayBeIgnored: Bool
    }

    /// A batch system's end and warning, and Ctrl-C, count in any case: shells start background jobs with SIGINT
    /// ignored. The others stay ignored where they were, which is what `nohup` is for.
    private static let requests = [
        Request(number: SIGTERM, name: "SIGTERM", mayBeIgnored: false),
        Request(number: SIGUSR1, name: "SIGUSR1", mayBeIgnored: false),
        Request(number: SIGINT, name: "SIGINT", mayBeIgnored: false),
        Request(number: SIGHUP, name: "SIGHUP", mayBeIgnored: true),
        Request(number: SIGUSR2, name: "SIGUSR2", mayBeIgnored: true),
        Request(number: SIGXCPU, name: "SIGXCPU", mayBeIgnored: true),
        Request(number: SIGPIPE, name: "SIGPIPE", mayBeIgnored: true),
    ]

    /// From here on these signals no longer end the process. Before MPI and threads.
    package static func install() {
        // A file that grows past the limit on its size is an error like a full disk, not the end of the run.
        signal(SIGXFSZ, SIG_IGN)
        for request in requests where csignals_install(request.number, request.mayBeIgnored ? 1 : 0) != 0 {
            preconditionFailure("\(request.name) cannot be handled: \(String(cString: strerror(errno)))")
        }
    }

    /// The number of the first signal that has come; 0: none.
    package static var first: Int32 { csignals_first() }

    package static func name(_ number: Int) -> String {
        requests.first { $0.number == number }?.name ?? "signal \(number)"
    }
}
