import Model

/// What blocks share of the slices that a rank works on. One is made from where its stream stands whenever it is
/// needed, in memory that is used again: so it takes no memory for the length of a sequence, and the latest few are
/// found made.
final class SharedSlices {
    private let plan: PipelinePlan
    private var made: [(unit: Int, slice: any SharedSlice)] = []
    private var next = 0

    /// A forward and a backward in turns.
    private static let kept = 2

    init(_ plan: PipelinePlan) { self.plan = plan }

    /// Call when the tokens of the units have changed.
    func forget() { for i in made.indices { made[i].unit = -1 } }

    /// The slice of a unit whose stream stands at `cursor`; `tokens` are the unit's.
    func slice(of unit: Int, at cursor: StreamCursor, tokens: UnsafePointer<Int32>) -> any SharedSlice {
        if let known = made.first(where: { $0.unit == unit }) { return known.slice }
        if made.count < Self.kept {
            made.append((unit, plan.model.makeSlice()))
            next = made.count - 1
        } else {
            next = (next + 1) % Self.kept
        }
        made[next].unit = unit
        made[next].slice.move(to: cursor, length: plan.cut.length(of: unit % plan.slices), tokens: tokens)
        return made[next].slice
    }
}
