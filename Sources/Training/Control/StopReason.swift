import Synchronization

/// Why a run leaves before its end: it saves first, and all ranks stop after the same step.
enum StopReason: Sendable, Equatable {
    case signal(Int)
    /// A file of the corpus is no longer what the run began to read.
    case corpusChanged

    /// Numbers beyond those of signals.
    private static let others: [(number: Int, reason: StopReason)] = [(1001, .corpusChanged)]

    /// By this number ranks tell each other.
    var number: Int {
        if case .signal(let number) = self { return number }
        return Self.others.first { $0.reason == self }?.number ?? 0
    }

    /// - Parameter number: 0: there is none
    init?(number: Int) {
        guard number != 0 else { return nil }
        self = Self.others.first { $0.number == number }?.reason ?? .signal(number)
    }

    /// Continues "stopped".
    var text: String {
        switch self {
        case .signal(let number): "by \(StopSignals.name(number))"
        case .corpusChanged: "because the corpus has changed"
        }
    }

    /// What to do once the state is saved.
    var advice: String {
        switch self {
        case .signal: "the same command goes on"
        case .corpusChanged: "give the run its text back, and the same command goes on"
        }
    }

    /// How the process ends once the state is saved.
    var exitStatus: Int32 {
        switch self {
        case .signal: ExitStatus.requeue
        // Another start won't mend it.
        case .corpusChanged: ExitStatus.failure
        }
    }
}

/// Where this process' ranks are asked to save and stop: by a signal, or by any part of the run that finds a reason.
enum StopRequests {
    private static let asked = Atomic<Int>(0)

    /// Say before what there is to say: only the reason's kind travels to the other ranks.
    static func ask(_ reason: StopReason) {
        _ = asked.compareExchange(expected: 0, desired: reason.number, ordering: .relaxed)
    }

    /// The number of the first reason; 0: none.
    static var first: Int {
        let number = asked.load(ordering: .relaxed)
        return number != 0 ? number : Int(StopSignals.first)
    }
}

/// What all ranks have heard: the first rank that was asked to stop, and why.
struct StopRequest: Sendable {
    let rank: Int
    let reason: StopReason

    /// - Parameter numbers: of every rank's reason; 0: none
    init?(_ numbers: [Int]) {
        guard let rank = numbers.firstIndex(where: { $0 != 0 }), let reason = StopReason(number: numbers[rank]) else {
            return nil
        }
        self.rank = rank
        self.reason = reason
    }
}
