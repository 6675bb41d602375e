import Foundation
import Hardware
import Locks

/// Lends a team of `workers`, who take turns on the cores where there are fewer, on a thread of its own so that pinning
/// touches nobody else.
package func withTeam(of workers: Int, _ body: @escaping @Sendable (Team) throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let failure = Lock<(any Error)?>(nil)
    let topology = try Topology()
    Thread.detachNewThread {
        do {
            let cores = (0..<workers).map { topology.usableCores[$0 % topology.usableCores.count] }
            let team = try Team(topology: topology, cores: cores, oversubscribed: true)
            defer { team.stop() }
            try body(team)
        } catch {
            failure.withLock { $0 = error }
        }
        done.signal()
    }
    done.wait()
    if let error = failure.withLock({ $0 }) { throw error }
}
