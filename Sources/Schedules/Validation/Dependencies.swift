/// What an action leaves behind that others may need. A fused backward leaves both gradients.
public enum Product: Int, CaseIterable, Sendable {
    case output, activations, inputGradient, weightGradient

    /// The product by which an action's completion is known.
    public init(of kind: ActionKind) {
        switch kind {
        case .forward: self = .output
        case .recompute: self = .activations
        case .backward, .backwardInput: self = .inputGradient
        case .backwardWeight: self = .weightGradient
        }
    }
}

/// Why an action waits for another.
public enum DependencyReason: Sendable {
    /// The output of the stage before, a message when that stage is on another rank.
    case activation
    /// The gradient of this stage's output, from the stage after; a message when that stage is on another rank.
    case gradient
    /// The carried state of the slice before, at the same stage.
    case state
    /// The gradient of the carried state, from the slice after, at the same stage.
    case stateGradient
    /// What an earlier action on the same unit and stage kept.
    case stash
}

/// One thing that an action needs: a product of a unit at a stage.
public struct Dependency: Sendable {
    /// What is needed.
    public let product: Product
    /// Of which stage.
    public let stage: Int
    /// Of which sequence.
    public let sequence: Int
    /// Of which slice.
    public let slice: Int
    /// Why it is needed.
    public let reason: DependencyReason

    /// The kinds of action, in words, that leave this product.
    public var description: String {
        let unit = "\(stage):\(sequence).\(slice)"
        return switch product {
        case .output: "F\(unit)"
        case .activations: "R\(unit)"
        case .inputGradient: "\(ActionKind.backwardInput.code)\(unit) or \(ActionKind.backward.code)\(unit)"
        case .weightGradient: "\(ActionKind.backwardWeight.code)\(unit) or \(ActionKind.backward.code)\(unit)"
        }
    }
}

/// The dependency rule of pipelined sequence slices. It stands here and nowhere else.
public enum Dependencies {
    /// Calls `body` for each thing that `action` needs.
    ///
    /// - forward: the output of the stage before, and the state that the slice before left at this stage
    /// - input gradient (alone or fused): its own forward, or its recomputation where there is one; the gradient from
    ///   the stage after; the state gradient that the slice after left at this stage
    /// - weight gradient: its input gradient
    /// - recompute: its forward
    ///
    /// - Parameter recomputed: whether the table recomputes this unit at this stage.
    public static func forEach(
        of action: Action, in shape: ScheduleShape, recomputed: Bool, _ body: (Dependency) -> Void
    ) {
        let (stage, sequence, slice) = (action.stage, action.sequence, action.slice)
        func need(_ product: Product, stage: Int, slice: Int, _ reason: DependencyReason) {
            body(Dependency(product: product, stage: stage, sequence: sequence, slice: slice, reason: reason))
        }
        switch action.kind {
        case .forward:
            if stage > 0 { need(.output, stage: stage - 1, slice: slice, .activation) }
            if slice > 0 { need(.output, stage: stage, slice: slice - 1, .state) }
        case .backward, .backwardInput:
            need(recomputed ? .activations : .output, stage: stage, slice: slice, .stash)
            if stage + 1 < shape.stages { need(.inputGradient, stage: stage + 1, slice: slice, .gradient) }
            if slice + 1 < shape.slices { need(.inputGradient, stage: stage, slice: slice + 1, .stateGradient) }
        case .backwardWeight:
            need(.inputGradient, stage: stage, slice: slice, .stash)
        case .recompute:
            need(.output, stage: stage, slice: slice, .stash)
        }
    }
}
