import Figures
import Hardware
import MPI
import Simulation

/// Messages to and from the next rank, all ranks at the same time but each with one partner only, so that no cable
/// carries two.
struct Neighbours {
    let world: MPIWorld

    private static let tag = 1
    private static let shortMessages = 200
    private static let longMessage = 1 << 20
    /// Long messages one way take about this long.
    private static let seconds = 0.1

    /// All ranks call it.
    /// - Returns: the links on which this rank leads, both ways
    func measure() throws -> [LinkFacts] {
        var links: [LinkFacts] = []
        let (rank, size) = (world.rank, world.size)
        // Even pairs, odd pairs, and what closes the ring.
        for first in [0, 1] {
            let leads = rank >= first && (rank - first) % 2 == 0 && rank + 1 < size
            let follows = rank > first && (rank - first) % 2 == 1
            if leads { links += try lead(rank + 1) }
            if follows { try follow(rank - 1) }
            try world.barrier()
        }
        if size > 2 {
            if rank == size - 1 { links += try lead(0) }
            if rank == 0 { try follow(size - 1) }
            try world.barrier()
        }
        return links
    }

    private func lead(_ partner: Int) throws -> [LinkFacts] {
        let memory = Message(bytes: Self.longMessage)
        let latency = try pingPong(memory, partner)
        let there = try stream(memory, to: partner)
        let back = try takeStream(memory, from: partner)
        return [
            LinkFacts(from: world.rank, to: partner, latency: latency, bandwidth: there),
            LinkFacts(from: partner, to: world.rank, latency: latency, bandwidth: back),
        ]
    }

    private func follow(_ partner: Int) throws {
        let memory = Message(bytes: Self.longMessage)
        for _ in 0..<Self.shortMessages {
            try receive(memory, bytes: 8, from: partner)
            try send(memory, bytes: 8, to: partner)
        }
        _ = try takeStream(memory, from: partner)
        _ = try stream(memory, to: partner)
    }

    /// Seconds one way, the median of many.
    private func pingPong(_ memory: Message, _ partner: Int) throws -> Double {
        var trips: [Double] = []
        for _ in 0..<Self.shortMessages {
            let start = MonotonicClock.seconds
            try send(memory, bytes: 8, to: partner)
            try receive(memory, bytes: 8, from: partner)
            trips.append(MonotonicClock.seconds - start)
        }
        return (trips.median ?? 0) / 2
    }

    /// Sends long messages as long as the first one suggests, the answer to the last one included.
    /// - Returns: bytes a second
    private func stream(_ memory: Message, to partner: Int) throws -> Double {
        let start = MonotonicClock.seconds
        try send(memory, bytes: Self.longMessage, to: partner)
        try receive(memory, bytes: 8, from: partner)
        let count = min(64, max(2, Int(Self.seconds / (MonotonicClock.seconds - start))))
        memory.number = count
        try send(memory, bytes: 8, to: partner)
        try receive(memory, bytes: 8, from: partner)
        let begin = MonotonicClock.seconds
        for _ in 0..<count { try send(memory, bytes: Self.longMessage, to: partner) }
        try receive(memory, bytes: 8, from: partner)
        let rate = Double(count * Self.longMessage) / (MonotonicClock.seconds - begin)
        memory.rate = rate
        try send(memory, bytes: 8, to: partner)
        return rate
    }

    /// The other side of `stream`.
    /// - Returns: the sender's figure
    private func takeStream(_ memory: Message, from partner: Int) throws -> Double {
        try receive(memory, bytes: Self.longMessage, from: partner)
        try send(memory, bytes: 8, to: partner)
        try receive(memory, bytes: 8, from: partner)
        let count = memory.number
        try send(memory, bytes: 8, to: partner)
        for _ in 0..<count { try receive(memory, bytes: Self.longMessage, from: partner) }
        try send(memory, bytes: 8, to: partner)
        try receive(memory, bytes: 8, from: partner)
        return memory.rate
    }

    private func send(_ memory: Message, bytes: Int, to partner: Int) throws {
        try world.send(UnsafeRawBufferPointer(rebasing: memory.bytes[..<bytes]), to: partner, tag: Self.tag)
    }

    private func receive(_ memory: Message, bytes: Int, from partner: Int) throws {
        try world.receive(
            into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<bytes]), from: partner, tag: Self.tag)
    }
}

/// Memory of a message.
final class Message {
    let bytes: UnsafeMutableRawBufferPointer

    init(bytes count: Int) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }

    /// The first eight bytes.
    var number: Int {
        get { bytes.load(as: Int.self) }
        set { bytes.storeBytes(of: newValue, as: Int.self) }
    }
    var rate: Double {
        get { bytes.load(as: Double.self) }
        set { bytes.storeBytes(of: newValue, as: Double.self) }
    }
}

extension MPIWorld {
    func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int) throws {
        try finish(try startSend(bytes, to: rank, tag: tag), "a message to rank \(rank)")
    }

    func receive(into bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int) throws {
        try finish(try startReceive(into: bytes, from: rank, tag: tag), "a message from rank \(rank)")
    }

    private func finish(_ transfer: Transfer, _ what: String) throws {
        try wait(for: { what }) { try isComplete(transfer) }
    }
}
