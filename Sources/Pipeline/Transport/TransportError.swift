/// Why messages stopped.
package enum TransportError: Error, Equatable, CustomStringConvertible {
    /// Another rank failed and told the others.
    case cancelled(by: Int, reason: String)
    /// `found`: what the other ranks said, or didn't.
    case timedOut(rank: Int, what: String, transfer: Transfer?, seconds: Double, found: String)
    case wrongSize(rank: Int, from: Int, tag: Int, expected: Int, found: Int?)
    /// A rank gave up its endpoint too early.
    case abandoned(rank: Int, transfers: Int)
    case tooFewTags(needed: Int, available: Int)
    case collectivesDiffer(rank: Int, calls: String, otherRank: Int, otherCalls: String)

    package struct Transfer: Equatable, Sendable {
        package let isReceive: Bool
        package let peer: Int
        package let tag: Int
    }

    /// Whether another rank did not come in time.
    var isLostPeer: Bool {
        if case .timedOut = self { true } else { false }
    }

    package var description: String {
        switch self {
        case .cancelled(let rank, let reason):
            return "stopped because rank \(rank) failed: \(reason)"
        case .timedOut(let rank, let what, let transfer, let seconds, let found):
            var text = "rank \(rank) waited \(format(seconds)) s for \(what)"
            if let transfer {
                let direction = transfer.isReceive ? "a message from rank" : "its message to be taken by rank"
                text += " (\(direction) \(transfer.peer), tag \(transfer.tag))"
            }
            return "\(text). \(found) (The limit on waiting is machine.patience.)"
        case .wrongSize(let rank, let source, let tag, let expected, let found):
            return "rank \(rank) expected \(expected) bytes from rank \(source) (tag \(tag)) and got "
                + (found.map { "\($0)." } ?? "more.")
                + " The ranks do not run the same configuration or the same program."
        case .abandoned(let rank, let transfers):
            return "rank \(rank) left with \(transfers) message(s) under way."
        case .tooFewTags(let needed, let available):
            return "this run needs message tags up to \(needed), and this transport's largest is \(available)."
                + " Use fewer sequences or slices per step."
        case .collectivesDiffer(let rank, let calls, let otherRank, let otherCalls):
            return "rank \(rank) calls \(calls) while rank \(otherRank) calls \(otherCalls)."
                + " All ranks must take the same steps in the same order."
        }
    }

    private func format(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }
}
