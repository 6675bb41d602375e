/// Which way a message goes.
public enum MessageDirection: Int, CaseIterable, Sendable {
    /// The output of a stage, to the stage after it.
    case activation
    /// The gradient of a stage's output, from the stage after it.
    case gradient
}

/// One transfer between two ranks, as one of its ends sees it.
public struct Message: Equatable, Sendable {
    /// Which way it goes.
    public let direction: MessageDirection
    /// The rank at the other end.
    public let peer: Int
    /// The stage at this end: the one that produces (in a list of sends) or needs (in a list of receives) the data.
    public let stage: Int
    /// The boundary crossed: `b` lies between stages b and b + 1.
    public let boundary: Int
    /// The sequence of the unit, from 0.
    public let sequence: Int
    /// The slice of the unit, from 0.
    public let slice: Int
    /// Equal at both ends and unique within a step.
    public let tag: Int
    /// The position in this rank's row of the action that produces or needs the data.
    public let position: Int
}

/// The messages of a table: what each rank receives, in the order in which it needs it, and sends, in the order in
/// which it produces it.
public struct Messages: Sendable {
    /// By rank, in the order in which they are needed.
    public let receives: [[Message]]
    /// By rank, in the order in which they are made.
    public let sends: [[Message]]
    /// Every tag is below this.
    public let tagCount: Int

    /// Places the messages of `table`, which must be valid. Stages on one rank hand over without a message.
    public init(_ table: ScheduleTable) {
        let shape = table.shape
        let boundaries = shape.stages - 1
        tagCount = MessageDirection.allCases.count * boundaries * shape.units
        func message(_ direction: MessageDirection, _ action: Action, peerStage: Int, position: Int) -> Message {
            let boundary = min(action.stage, peerStage)
            let unit = shape.unit(action.sequence, action.slice)
            return Message(
                direction: direction, peer: shape.rank(of: peerStage), stage: action.stage, boundary: boundary,
                sequence: action.sequence, slice: action.slice,
                tag: (direction.rawValue * boundaries + boundary) * shape.units + unit, position: position)
        }
        var receives = [[Message]](repeating: [], count: shape.ranks)
        var sends = receives
        for (rank, row) in table.rows.enumerated() {
            for (position, action) in row.enumerated() {
                // The dependency rule says what comes in; what goes out is what the neighbour's rule asks for.
                Dependencies.forEach(of: action, in: shape, recomputed: false) { dependency in
                    let direction: MessageDirection
                    switch dependency.reason {
                    case .activation: direction = .activation
                    case .gradient: direction = .gradient
                    case .state, .stateGradient, .stash: return
                    }
                    guard shape.rank(of: dependency.stage) != rank else { return }
                    receives[rank].append(
                        message(direction, action, peerStage: dependency.stage, position: position))
                }
                if action.kind == .forward, action.stage < boundaries, shape.isMessageBoundary(after: action.stage) {
                    sends[rank].append(message(.activation, action, peerStage: action.stage + 1, position: position))
                }
                if action.kind.givesInputGradient, action.stage > 0, shape.isMessageBoundary(after: action.stage - 1) {
                    sends[rank].append(message(.gradient, action, peerStage: action.stage - 1, position: position))
                }
            }
        }
        self.receives = receives
        self.sends = sends
    }
}
