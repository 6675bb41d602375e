import Glibc
import Hardware
import MPI

/// A rank's end of an `InMemoryFabric`.
package final class InMemoryEndpoint: Endpoint {
    package let rank: Int
    package var size: Int { fabric.size }
    package var largestTag: Int { Int(Int32.max) }
    package var patience = 300.0
    package var onWait: (() throws -> Void)?
    package var activity: (() -> String)?
    package var heartbeat: Heartbeat?

    /// Seconds to wait for others' answers: longer than any kernel. The longest sleep between two signs of life.
    private static let answerPatience = 5.0
    private static let longestSleep = 0.2

    private let fabric: InMemoryFabric
    private let mailbox: RankMailbox
    private var transfers: [InMemoryTransfer] = []
    private var free: [Int] = []

    init(fabric: InMemoryFabric, rank: Int) {
        precondition(0..<fabric.size ~= rank, "there is no rank \(rank) among \(fabric.size)")
        self.fabric = fabric
        self.rank = rank
        mailbox = fabric.mailboxes[rank]
    }

    /// A rank that leaves with transfers under way has failed: its memory may be gone soon, so nothing may be copied
    /// any more.
    deinit {
        let unfinished = transfers.count - free.count
        if unfinished > 0, !fabric.cancelled {
            fabric.cancel(TransportError.abandoned(rank: rank, transfers: unfinished), by: rank)
        }
    }

    package func startReceive(
        into memory: UnsafeMutableRawBufferPointer, from source: Int, tag: Int
    ) throws -> TransferID {
        checkPeer(source, tag: tag)
        let slot = takeSlot()
        transfers[slot].prepare(.receive, source: source, destination: rank, tag: tag, memory: memory)
        try mailbox.expect(transfers[slot], in: fabric)
        return TransferID(slot: slot, use: transfers[slot].use)
    }

    package func startSend(_ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int) throws -> TransferID {
        checkPeer(destination, tag: tag)
        let slot = takeSlot()
        // Never written through: a send's memory is only read.
        let memory = UnsafeMutableRawBufferPointer(mutating: bytes)
        transfers[slot].prepare(.send, source: rank, destination: destination, tag: tag, memory: memory)
        try fabric.mailboxes[destination].deliver(transfers[slot], in: fabric)
        return TransferID(slot: slot, use: transfers[slot].use)
    }

    package func isComplete(_ id: TransferID) throws -> Bool {
        try fabric.checkCancellation()
        let transfer = transfers[id.slot]
        precondition(transfer.use == id.use, "rank \(rank): this transfer was completed before")
        guard transfer.isFinished else { return false }
        transfer.retire()
        free.append(id.slot)
        if transfer.kind == .receive, transfer.received != transfer.byteCount {
            throw TransportError.wrongSize(
                rank: rank, from: transfer.source, tag: transfer.tag, expected: transfer.byteCount,
                found: transfer.received)
        }
        return true
    }

    package func wait(_ id: TransferID, for what: @autoclosure () -> String) throws {
        try wait(what, for: id) { try isComplete(id) }
    }

    package func wait(for what: @autoclosure () -> String, until isReady: () throws -> Bool) throws {
        try wait(what, for: nil, until: isReady)
    }

    package func progress() throws {
        try fabric.checkCancellation()
        mailbox.answerIfAsked { activity?() ?? "computes" }
    }

    private func wait(_ what: () -> String, for id: TransferID?, until isReady: () throws -> Bool) throws {
        var backoff = Backoff(fabric.policy)
        var clock = WaitClock()
        var isTold = false
        defer { if isTold { heartbeat?.waits(for: nil) } }
        while true {
            let events = mailbox.eventCount
            try fabric.checkCancellation()
            if try isReady() { return }
            mailbox.answerIfAsked { "waits for \(what())" }
            try onWait?()
            heartbeat?.beat()
            if backoff.pause() { continue }
            let waited = clock.tick()
            guard waited < patience else {
                let transfer = id.map(describe)
                throw TransportError.timedOut(
                    rank: rank, what: what(), transfer: transfer, seconds: patience,
                    found: ask(first: transfer?.peer, meanwhile: "waits for \(what())"))
            }
            if waited > Self.longestSleep, !isTold {
                heartbeat?.waits(for: what())
                isTold = true
            }
            mailbox.sleep(since: events, atMost: min(patience - waited, Self.longestSleep))
        }
    }

    /// What the others say they are doing, as sentences.
    private func ask(first: Int?, meanwhile activity: String) -> String {
        let others = (0..<size).filter { $0 != rank }
        for other in others { fabric.mailboxes[other].ask() }
        var clock = WaitClock()
        while others.contains(where: { fabric.mailboxes[$0].lastAnswer == nil }), !fabric.cancelled,
            clock.tick() < min(patience, Self.answerPatience)
        {
            mailbox.answerIfAsked { activity }
            usleep(1000)
        }
        let answers = others.compactMap { other in fabric.mailboxes[other].lastAnswer.map { (other, $0) } }
        return FailureDetectorText(
            answers: Dictionary(uniqueKeysWithValues: answers), others: others, first: first, hosts: []
        ).description
    }

    package func reserve(transfers count: Int) {
        mailbox.reserve(count)
        while transfers.count < count { free.append(newSlot()) }
    }

    private func takeSlot() -> Int { free.popLast() ?? newSlot() }

    private func newSlot() -> Int {
        transfers.append(InMemoryTransfer(owner: mailbox))
        free.reserveCapacity(transfers.count)
        return transfers.count - 1
    }

    private func describe(_ id: TransferID) -> TransportError.Transfer {
        let transfer = transfers[id.slot]
        let isReceive = transfer.kind == .receive
        return .init(
            isReceive: isReceive, peer: isReceive ? transfer.source : transfer.destination, tag: transfer.tag)
    }
}

// Meetings of all ranks.
extension InMemoryEndpoint {
    package func allGather(_ values: [Double]) throws -> [[Double]] {
        try values.withUnsafeBytes { try meet(.allGather, bringing: $0) }
        return fabric.rendezvous.take { $0.map(Bytes.doubles) }
    }

    package func allGather(
        _ values: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>
    ) throws {
        try meet(.allGather, bringing: UnsafeRawBufferPointer(values))
        precondition(all.count == size * values.count, "rank \(rank): no room for the numbers of \(size) ranks")
        fabric.rendezvous.take { brought in
            for (rank, bytes) in brought.enumerated() {
                let numbers = rank * values.count..<(rank + 1) * values.count
                let place = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: all[numbers]))
                precondition(bytes.count == place.count, "rank \(rank) brought another number of numbers")
                place.copyBytes(from: bytes)
            }
        }
    }

    package func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8] {
        precondition(0..<size ~= root, "rank \(rank): there is no rank \(root) among \(size)")
        try (rank == root ? bytes : []).withUnsafeBytes { try meet(.broadcast(root: root), bringing: $0) }
        return fabric.rendezvous.take { $0[root] }
    }

    package func barrier() throws { try meet(.barrier, bringing: UnsafeRawBufferPointer(start: nil, count: 0)) }

    /// Returns when all ranks have come and brought their bytes.
    private func meet(_ kind: Rendezvous.Kind, bringing bytes: UnsafeRawBufferPointer) throws {
        try fabric.checkCancellation()
        let rendezvous = fabric.rendezvous
        let round = rendezvous.rounds
        do {
            if try rendezvous.bring(bytes, rank: rank, kind: kind) {
                for mailbox in fabric.mailboxes { mailbox.notify() }
            }
        } catch {
            fabric.cancel(error, by: rank)
            throw error
        }
        let task = heartbeat?.task
        try wait(for: "all ranks at \(kind.name)\(task.map { " (it \($0))" } ?? "")") { rendezvous.rounds > round }
    }
}
