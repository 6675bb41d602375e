import Hardware
import Locks
import Synchronization

/// Connects ranks that live in one process, each on its own thread.
///
/// A message is copied once, from the sender's memory into the receiver's, by whichever of the two comes second. Until
/// then only a reference to the sender's memory is kept: what works here does not depend on buffering elsewhere.
package final class InMemoryFabric: Sendable {
    package let size: Int
    let policy: WaitPolicy
    let mailboxes: [RankMailbox]
    let rendezvous: Rendezvous
    private let isCancelled = Atomic<Bool>(false)
    private let reason = Lock<TransportError?>(nil)

    /// - Parameter oversubscribed: whether ranks share cores, so that a waiting one should yield at once.
    package init(size: Int, oversubscribed: Bool = false) {
        precondition(size > 0, "a fabric needs at least one rank")
        self.size = size
        policy = oversubscribed ? .sharedCore : .ownCore
        mailboxes = (0..<size).map { _ in RankMailbox() }
        rendezvous = Rendezvous(size: size)
    }

    /// The endpoint of `rank`, to be made and used on that rank's thread; one per rank.
    package func endpoint(_ rank: Int) -> InMemoryEndpoint { InMemoryEndpoint(fabric: self, rank: rank) }

    /// Makes every call of every endpoint throw `TransportError.cancelled`, those that wait at this moment included.
    /// The first reason is kept.
    ///
    /// A rank that fails calls this before it gives up memory with transfers under way: on return no message is being
    /// copied from or to it any more.
    package func cancel(_ error: any Error, by rank: Int) {
        reason.withLock { $0 = $0 ?? .cancelled(by: rank, reason: "\(error)") }
        isCancelled.store(true, ordering: .sequentiallyConsistent)
        for mailbox in mailboxes { mailbox.notify() }
        waitForCopies()
    }

    /// Throws when the fabric is cancelled, and then only after all copies under way have ended.
    @inline(__always)
    func checkCancellation() throws {
        if isCancelled.load(ordering: .acquiring) { try throwCancellation() }
    }

    var cancelled: Bool { isCancelled.load(ordering: .sequentiallyConsistent) }

    private func throwCancellation() throws {
        waitForCopies()
        if let error = reason.withLock({ $0 }) { throw error }
    }

    private func waitForCopies() {
        for mailbox in mailboxes { mailbox.waitForCopies() }
    }
}
