/// What a rank does with one slice of one sequence at one stage.
public enum ActionKind: UInt8, CaseIterable, Sendable {
    /// Reads the slice's input and the carried state, writes its output and the next state.
    case forward
    /// Input gradient and weight gradient in one go.
    case backward
    /// Input gradient (and the gradient of the carried state) only.
    case backwardInput
    /// Weight gradient only.
    case backwardWeight
    /// Runs the forward again from the slice's kept input and entry state, to have its activations for the backward.
    case recompute

    /// What stands for the kind in the text form of a table: the letters of the zero-bubble papers (arXiv 2401.10241),
    /// and `BW` for both gradients in one.
    public var code: String {
        switch self {
        case .forward: "F"
        case .backward: "BW"
        case .backwardInput: "B"
        case .backwardWeight: "W"
        case .recompute: "R"
        }
    }

    /// Nil when no kind has this code.
    public init?(code: some StringProtocol) {
        guard let kind = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = kind
    }

    /// The kind in words, for messages and legends.
    public var title: String {
        switch self {
        case .forward: "forward"
        case .backward: "backward"
        case .backwardInput: "input gradient"
        case .backwardWeight: "weight gradient"
        case .recompute: "recompute"
        }
    }

    /// Whether the action yields the gradient of the slice's input.
    public var givesInputGradient: Bool { self == .backward || self == .backwardInput }

    /// Whether the action adds to the weight gradients, after which nothing of the unit is kept.
    public var givesWeightGradient: Bool { self == .backward || self == .backwardWeight }
}
