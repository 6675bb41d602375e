import Locks
import Synchronization

/// Where the ranks of a fabric meet: each brings bytes and leaves with everybody's. After the first meetings it takes
/// no memory.
final class Rendezvous: Sendable {
    enum Kind: Equatable {
        case allGather
        case broadcast(root: Int)
        case barrier

        var name: String {
            switch self {
            case .allGather: "allGather"
            case .broadcast(let root): "broadcast from rank \(root)"
            case .barrier: "barrier"
            }
        }
    }

    private struct State {
        var kind = Kind.barrier
        var first = 0
        var arrived = 0
        var brought: [[UInt8]]
        /// Of the last meeting; its memory serves the next but one.
        var result: [[UInt8]]
    }

    private let size: Int
    private let state: Lock<State>
    private let completed = Atomic<Int>(0)

    init(size: Int) {
        self.size = size
        let nothing = [[UInt8]](repeating: [], count: size)
        state = Lock(State(brought: nothing, result: nothing))
    }

    /// Meetings that have ended.
    var rounds: Int { completed.load(ordering: .acquiring) }

    /// Leaves a rank's bytes; true when it was the last to come, which ends the meeting.
    func bring(_ bytes: UnsafeRawBufferPointer, rank: Int, kind: Kind) throws -> Bool {
        try state.withLock { state in
            if state.arrived == 0 {
                state.kind = kind
                state.first = rank
            }
            guard state.kind == kind else {
                throw TransportError.collectivesDiffer(
                    rank: rank, calls: kind.name, otherRank: state.first, otherCalls: state.kind.name)
            }
            state.brought[rank].removeAll(keepingCapacity: true)
            state.brought[rank].append(contentsOf: bytes)
            state.arrived += 1
            guard state.arrived == size else { return false }
            state.arrived = 0
            swap(&state.result, &state.brought)
            completed.add(1, ordering: .releasing)
            return true
        }
    }

    /// Takes what was brought to the last meeting, by rank. It cannot be overwritten before every rank has it, since
    /// the next meeting ends only when all have come to it.
    func take<Value: Sendable>(_ read: ([[UInt8]]) throws -> sending Value) rethrows -> Value {
        try state.withLock { try read($0.result) }
    }
}
