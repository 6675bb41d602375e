import Glibc
import Hardware

/// A rank's end of an `InMemoryFabric`.
package final class InMemoryEndpoint: Endpoint {
    package let rank: Int
    package var size: Int { fabric.size }
    package var largestTag: Int { Int(Int32.max) }
    package var patience = 300.0
    package var onWait: (() throws -> Void)?
    package var activity: (() -> String)?

    private let fabric: InMemoryFabric
    private let station: Station
    private var transfers: [InMemoryTransfer] = []
    private var free: [Int] = []

    init(fabric: InMemoryFabric, rank: Int) {
        precondition(0..<fabric.size ~= rank, "there is no rank \(rank) among \(fabric.size)")
        self.fabric = fabric
        self.rank = rank
        station = fabric.stations[rank]
    }

    /// A rank that leaves with transfers under way has failed: its memory may be gone soon, so nothing may be copied any more.
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
        try station.expect(transfers[slot], in: fabric)
        return TransferID(slot: slot, use: transfers[slot].use)
    }

    package func startSend(_ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int) throws -> TransferID {
        checkPeer(destination, tag: tag)
        let slot = takeSlot()
        // Never written through: a send's memory is only read.
        let memory = UnsafeMutableRawBufferPointer(mutating: bytes)
        transfers[slot].prepare(.send, source: rank, destination: destination, tag: tag, memory: memory)
        try fabric.stations[destination].deliver(transfers[slot], in: fabric)
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
        station.answerIfAsked { activity?() ?? "computes" }
    }

    private func wait(_ what: () -> String, for id: TransferID?, until isReady: () throws -> Bool) throws {
        var backoff = Backoff(fabric.policy)
        var deadline: Double?
        while true {
            let events = station.eventCount
            try fabric.checkCancellation()
            if try isReady() { return }
            station.answerIfAsked { "waits for \(what())" }
            try onWait?()
            if backoff.pause() { continue }
            let now = MonotonicClock.seconds
            let end = deadline ?? now + patience
            deadline = end
            guard now < end else {
                let transfer = id.map(describe)
                throw TransportError.timedOut(
                    rank: rank, what: what(), transfer: transfer, seconds: patience,
                    hint: transfer.map { ask($0.peer, meanwhile: "waits for \(what())") })
            }
            station.sleep(since: events, atMost: end - now)
        }
    }

    /// What rank `peer` says it is doing, as a sentence.
    private func ask(_ peer: Int, meanwhile activity: String) -> String {
        let other = fabric.stations[peer]
        other.ask()
        let end = MonotonicClock.seconds + Questions.patience
        while other.lastAnswer == nil, !fabric.cancelled, MonotonicClock.seconds < end {
            station.answerIfAsked { activity }
            usleep(1000)
        }
        return Questions.sentence(peer, other.lastAnswer)
    }

    private func takeSlot() -> Int {
        if let slot = free.popLast() { return slot }
        transfers.append(InMemoryTransfer(owner: station))
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
        try meet(.allGather, bringing: Bytes.of(values)).map(Bytes.doubles)
    }

    package func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8] {
        precondition(0..<size ~= root, "rank \(rank): there is no rank \(root) among \(size)")
        return try meet(.broadcast(root: root), bringing: rank == root ? bytes : [])[root]
    }

    package func barrier() throws { _ = try meet(.barrier, bringing: []) }

    private func meet(_ kind: Assembly.Kind, bringing bytes: [UInt8]) throws -> [[UInt8]] {
        try fabric.checkCancellation()
        let assembly = fabric.assembly
        let round = assembly.rounds
        do {
            if try assembly.bring(bytes, rank: rank, kind: kind) {
                for station in fabric.stations { station.notify() }
            }
        } catch {
            fabric.cancel(error, by: rank)
            throw error
        }
        try wait(for: "all ranks at \(kind.name)") { assembly.rounds > round }
        return assembly.result
    }
}
