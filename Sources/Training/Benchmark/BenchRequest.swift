import Foundation
import MPI

/// What `gecko bench` is asked for.
package struct BenchRequest: Sendable {
    /// Steps that are measured in a round, after one of warm-up.
    package var steps = 3
    /// Rounds: with a peer, ours and its turn about.
    package var rounds = 1
    /// A program whose tokens/s are compared.
    package var peer: String?
    package var json = false
    /// File for a picture of where the time goes.
    package var picture: String?
    /// Whether the picture may replace what is something else.
    package var overwrite = false

    package init() {}

    /// - Throws: where the request can't be met.
    func check(_ plan: BenchPlan) throws {
        if let picture { try Launch.checkFolder(of: picture) }
        guard peer != nil else { return }
        guard case .none = try Launcher.detect(ProcessInfo.processInfo.environment) else {
            throw ConfigurationError(
                "--against compares from one process: under a launcher the other ranks would hold the peer's cores. "
                    + "Let the launcher be the peer: gecko bench ... --against \"mpirun -np 2 gecko bench ...\"")
        }
    }
}
