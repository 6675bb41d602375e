import Hardware
import MPI

/// A rank's end of an MPI world, for the thread that made the world.
package final class MPIEndpoint: Endpoint {
    package var rank: Int { world.rank }
    package var size: Int { world.size }
    package var largestTag: Int { world.largestTag }
    package var patience: Double {
        get { world.patience }
        set { world.patience = newValue }
    }
    package var heartbeat: Heartbeat? {
        get { world.heartbeat }
        set { world.heartbeat = newValue }
    }
    package var onWait: (() throws -> Void)?
    package var activity: (() -> String)?

    private let world: MPIWorld
    private var lastProgress = 0.0

    /// MPI moves messages only inside its calls. Looking more often than this costs more than it brings.
    private static let progressInterval = 50e-6

    package init(_ world: MPIWorld) { self.world = world }

    package func reserve(transfers: Int) { world.reserve(transfers: transfers) }

    package func startReceive(
        into memory: UnsafeMutableRawBufferPointer, from source: Int, tag: Int
    ) throws -> TransferID {
        checkPeer(source, tag: tag)
        return TransferID(try world.startReceive(into: memory, from: source, tag: tag))
    }

    package func startSend(_ bytes: UnsafeRawBufferPointer, to destination: Int, tag: Int) throws -> TransferID {
        checkPeer(destination, tag: tag)
        return TransferID(try world.startSend(bytes, to: destination, tag: tag))
    }

    package func isComplete(_ id: TransferID) throws -> Bool {
        do {
            return try world.isComplete(id.ofMPI)
        } catch MPIError.wrongSize(let rank, let source, let tag, let expected, let found) {
            throw TransportError.wrongSize(rank: rank, from: source, tag: tag, expected: expected, found: found)
        }
    }

    package func wait(_ id: TransferID, for what: @autoclosure () -> String) throws {
        try wait(what, for: id) { try isComplete(id) }
    }

    package func wait(for what: @autoclosure () -> String, until isReady: () throws -> Bool) throws {
        try wait(what, for: nil, until: isReady)
    }

    package func progress() throws {
        let now = MonotonicClock.seconds
        if now - lastProgress < MPIEndpoint.progressInterval { return }
        lastProgress = now
        try world.attend { activity?() ?? "computes" }
    }

    package func allGather(_ values: [Double]) throws -> [[Double]] { try world.allGather(values) }

    package func allGather(
        _ values: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>
    ) throws { try world.allGather(values, into: all) }

    package func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8] {
        try world.broadcast(bytes, from: root)
    }

    package func barrier() throws { try world.barrier() }

    private func wait(_ what: () -> String, for id: TransferID?, until isReady: () throws -> Bool) throws {
        let transfer = id.map { world.description(of: $0.ofMPI) }
        do {
            try world.wait(for: what, peer: transfer?.peer, onWait: onWait, until: isReady)
        } catch MPIError.timedOut(let rank, let what, let seconds, let found) {
            throw TransportError.timedOut(
                rank: rank, what: what,
                transfer: transfer.map { .init(isReceive: $0.isReceive, peer: $0.peer, tag: $0.tag) },
                seconds: seconds, found: found)
        }
    }
}

extension TransferID {
    fileprivate init(_ transfer: MPIWorld.Transfer) { self.init(slot: transfer.slot, use: transfer.use) }
    fileprivate var ofMPI: MPIWorld.Transfer { .init(slot: slot, use: use) }
}
