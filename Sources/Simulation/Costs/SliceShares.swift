import Schedules

/// What the slices of a sequence take, each as a share of their mean, by kind of action.
public struct SliceShares: Sendable, Equatable {
    public let forward, backwardInput, backwardWeight, backward: [Double]

    /// - Parameter forward: by slice; the others likewise
    public init(forward: [Double], backwardInput: [Double], backwardWeight: [Double], backward: [Double]) {
        precondition(
            [backwardInput, backwardWeight, backward].allSatisfy { $0.count == forward.count },
            "a share for each slice")
        self.forward = forward
        self.backwardInput = backwardInput
        self.backwardWeight = backwardWeight
        self.backward = backward
    }

    /// Slices that there are shares for.
    public var count: Int { forward.count }

    func share(_ kind: ActionKind, slice: Int) -> Double {
        switch kind {
        case .forward, .recompute: forward[slice]
        case .backwardInput: backwardInput[slice]
        case .backwardWeight: backwardWeight[slice]
        case .backward: backward[slice]
        }
    }
}
