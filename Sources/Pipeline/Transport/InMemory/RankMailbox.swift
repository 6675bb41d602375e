import Glibc
import Hardware
import Locks
import Synchronization

/// What the other ranks see of a rank: its mailbox, and the bell that wakes it.
final class RankMailbox: Sendable {
    private let mailbox = Lock(Mailbox())
    /// Copies into this rank's memory that are under way.
    private let copies = Atomic<Int>(0)
    /// How often something happened that this rank may wait for.
    private let events = Atomic<Int>(0)
    private let bell = Doorbell()
    /// Whether somebody who waits for this rank in vain wants to know what it does, and what it said last.
    private let isAsked = Atomic<Bool>(false)
    private let answer = Lock<String?>(nil)

    /// Makes room for so many receives and as many messages that wait for each other.
    func reserve(_ count: Int) { mailbox.withLock { $0.reserve(count) } }

    /// Delivers a message to this rank: at once when its receive has started, else when it starts.
    func deliver(_ message: InMemoryTransfer, in fabric: InMemoryFabric) throws {
        let receive = try match(fabric) { $0.takeReceive(for: message) }
        if let receive { copy(message, to: receive) }
    }

    /// Starts a receive of this rank.
    func expect(_ receive: InMemoryTransfer, in fabric: InMemoryFabric) throws {
        let message = try match(fabric) { $0.takeMessage(for: receive) }
        if let message { copy(message, to: receive) }
    }

    /// Nothing is matched after a cancellation, and a match counts as a copy before the lock is given back: so the one
    /// who cancels can wait for the last copy.
    private func match(
        _ fabric: InMemoryFabric, _ take: (inout Mailbox) -> InMemoryTransfer?
    ) throws -> InMemoryTransfer? {
        let found: InMemoryTransfer? = mailbox.withLock { mailbox in
            if fabric.cancelled { return nil }
            let found = take(&mailbox)
            if found != nil { copies.add(1, ordering: .relaxed) }
            return found
        }
        if found == nil { try fabric.checkCancellation() }
        return found
    }

    private func copy(_ message: InMemoryTransfer, to receive: InMemoryTransfer) {
        receive.fill(from: message)
        copies.subtract(1, ordering: .releasing)
        receive.finish()
        message.finish()
    }

    func waitForCopies() {
        mailbox.withLock { _ in }
        while copies.load(ordering: .acquiring) > 0 { sched_yield() }
    }

    /// Wakes the rank: something that it may wait for has happened.
    func notify() {
        events.add(1, ordering: .releasing)
        bell.ring()
    }

    var eventCount: Int { events.load(ordering: .acquiring) }

    func sleep(since count: Int, atMost seconds: Double) {
        bell.sleep(atMost: seconds) { eventCount != count }
    }
}

// What the rank is doing, for the error text of one that waits for it.
extension RankMailbox {
    func ask() {
        answer.withLock { $0 = nil }
        isAsked.store(true, ordering: .releasing)
        notify()
    }

    /// The rank's side. It costs a look when nobody asks.
    @inline(__always)
    func answerIfAsked(_ activity: () -> String) {
        guard isAsked.load(ordering: .acquiring) else { return }
        isAsked.store(false, ordering: .relaxed)
        let text = activity()
        answer.withLock { $0 = text }
    }

    var lastAnswer: String? { answer.withLock { $0 } }
}

/// Receives that wait for their message, and messages that wait for their receive, each in order.
private struct Mailbox {
    private struct Entry {
        let source: Int
        let tag: Int
        let transfer: InMemoryTransfer
    }

    private var receives: [Entry] = []
    private var messages: [Entry] = []

    mutating func reserve(_ count: Int) {
        receives.reserveCapacity(count)
        messages.reserveCapacity(count)
    }

    /// The first receive for this message; without one the message is kept.
    mutating func takeReceive(for message: InMemoryTransfer) -> InMemoryTransfer? {
        Mailbox.take(message, from: &receives, orAddTo: &messages)
    }

    /// The first message for this receive; without one the receive is kept.
    mutating func takeMessage(for receive: InMemoryTransfer) -> InMemoryTransfer? {
        Mailbox.take(receive, from: &messages, orAddTo: &receives)
    }

    private static func take(
        _ transfer: InMemoryTransfer, from others: inout [Entry], orAddTo own: inout [Entry]
    ) -> InMemoryTransfer? {
        let (source, tag) = (transfer.source, transfer.tag)
        if let index = others.firstIndex(where: { $0.tag == tag && $0.source == source }) {
            return others.remove(at: index).transfer
        }
        own.append(Entry(source: source, tag: tag, transfer: transfer))
        return nil
    }
}
