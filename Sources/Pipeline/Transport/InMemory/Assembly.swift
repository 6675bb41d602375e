import Synchronization

/// Where the ranks of a fabric meet: each brings bytes and leaves with everybody's.
final class Assembly: Sendable {
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
        var result: [[UInt8]] = []
    }

    private let size: Int
    private let state: Mutex<State>
    private let completed = Atomic<Int>(0)

    init(size: Int) {
        self.size = size
        state = Mutex(State(brought: Array(repeating: [], count: size)))
    }

    /// Meetings that have ended.
    var rounds: Int { completed.load(ordering: .acquiring) }

    /// Leaves a rank's bytes; true when it was the last to come, which ends the meeting.
    func bring(_ bytes: [UInt8], rank: Int, kind: Kind) throws -> Bool {
        try state.withLock { state in
            if state.arrived == 0 {
                state.kind = kind
                state.first = rank
            }
            guard state.kind == kind else {
                throw TransportError.collectivesDiffer(
                    rank: rank, calls: kind.name, otherRank: state.first, otherCalls: state.kind.name)
            }
            state.brought[rank] = bytes
            state.arrived += 1
            guard state.arrived == size else { return false }
            state.arrived = 0
            state.result = state.brought
            completed.add(1, ordering: .releasing)
            return true
        }
    }

    /// What was brought to the last meeting. It cannot be overwritten before every rank has it, since the next meeting ends only
    /// when all have come to it.
    var result: [[UInt8]] { state.withLock { $0.result } }
}
