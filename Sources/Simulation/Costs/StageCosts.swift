import Schedules

/// What one stage takes to run and to hold one unit (a slice of a sequence). Times in seconds.
public struct StageCosts: Sendable, Equatable {
    /// Seconds of a forward.
    public var forward: Double
    /// Seconds of an input gradient alone.
    public var backwardInput: Double
    /// Seconds of a weight gradient alone.
    public var backwardWeight: Double
    /// Input and weight gradient in one go; often less than the sum, since the kernels share what they read.
    public var backward: Double
    /// Seconds of a forward that is run again.
    public var recompute: Double
    /// Bytes of a unit's activations, from its forward (or recompute) to its input gradient.
    public var unitBytes = 0
    /// Bytes of a unit that its weight gradient still needs once the input gradient is done.
    public var weightUnitBytes = 0
    /// Share of a unit that its weight gradient still needs once the input gradient is done, where bytes aren't known.
    public var weightShare = StageCosts.transformerWeightShare
    /// Bytes of a recomputed unit's input and entry state.
    public var lightBytes = 0
    /// Bytes that a sequence holds from its first forward to its last input gradient, and once more for gradients from
    /// its first input gradient on: what is kept of every token.
    public var sequenceBytes = 0
    /// Bytes that the stage holds whatever the schedule: parameters, gradients, optimizer state.
    public var residentBytes = 0
    /// What a slice takes longer than the one before it, as a share of the mean; the times are the mean of a sequence's
    /// slices.
    public var sliceGrowth = 0.0
    /// What each slice takes, where that is known more exactly; then the growth means nothing.
    public var sliceShares: SliceShares?
    /// Whether the halves of a backward are unknown: only the whole was measured.
    public var lacksHalves = false

    /// A transformer layer keeps sb(34h+5as) bytes until its input gradient and 32sbh from there to its weight gradient
    /// (arXiv 2401.10241, table 1; s tokens, b sequences, h features, a heads): 0.37 and 0.43 for that paper's models
    /// of 1.5 and 6.2 billion parameters.
    public static let transformerWeightShare = 0.4

    /// How a unit counts from its input gradient to its weight gradient, where it counts 1 before.
    public var heldShare: Double {
        unitBytes > 0 ? min(1, Double(weightUnitBytes) / Double(unitBytes)) : weightShare
    }

    /// - Parameters:
    ///   - backward: nil for the sum of both gradients
    ///   - recompute: nil for the time of a forward
    public init(
        forward: Double, backwardInput: Double, backwardWeight: Double, backward: Double? = nil,
        recompute: Double? = nil
    ) {
        self.forward = forward
        self.backwardInput = backwardInput
        self.backwardWeight = backwardWeight
        self.backward = backward ?? backwardInput + backwardWeight
        self.recompute = recompute ?? forward
    }

    /// A stage of which only the whole backward is known.
    ///
    /// - Parameter recompute: nil for the time of a forward
    public init(forward: Double, fusedBackward: Double, recompute: Double? = nil) {
        self.init(
            forward: forward, backwardInput: 0, backwardWeight: 0, backward: fusedBackward, recompute: recompute)
        lacksHalves = true
    }

    /// Whether all slices of a sequence take the same.
    var hasEqualSlices: Bool { sliceShares == nil && sliceGrowth == 0 }

    /// The time of a kind of action for one of the slices of a sequence.
    func duration(_ kind: ActionKind, slice: Int, of slices: Int) -> Double {
        if let sliceShares, sliceShares.count == slices {
            return duration(kind) * sliceShares.share(kind, slice: slice)
        }
        if sliceGrowth == 0 { return duration(kind) }
        return duration(kind) * max(0, 1 + sliceGrowth * (Double(slice) - Double(slices - 1) / 2))
    }

    public func duration(_ kind: ActionKind) -> Double {
        switch kind {
        case .forward: forward
        case .backward: backward
        case .backwardInput: backwardInput
        case .backwardWeight: backwardWeight
        case .recompute: recompute
        }
    }
}
