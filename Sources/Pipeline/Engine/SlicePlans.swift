import Kernels
import Model

/// The plans of the slices that a rank works on. A plan is made from where its stream stands whenever it is needed, in memory that is
/// used again: so it takes no memory for the length of a sequence, and the latest few are found made.
final class SlicePlans {
    private let plan: PipelinePlan
    private var made: [(unit: Int, plan: SlicePlan)] = []
    private var next = 0

    /// A forward and a backward in turns.
    private static let kept = 2

    init(_ plan: PipelinePlan) { self.plan = plan }

    /// Call when the tokens of the units have changed.
    func forget() { for i in made.indices { made[i].unit = -1 } }

    /// The plan of a unit whose stream stands at `cursor`; `tokens` are the unit's.
    func plan(of unit: Int, at cursor: StreamCursor, tokens: UnsafePointer<Int32>) -> SlicePlan {
        if let known = made.first(where: { $0.unit == unit }) { return known.plan }
        let m = plan.model
        if made.count < Self.kept {
            made.append(
                (
                    unit,
                    SlicePlan(
                        chunk: m.chunk, keyDim: m.keyDim, ropeBase: m.ropeBase, beta1: m.beta1, beta2: m.beta2,
                        tile: KernelTable.emaTile)
                ))
            next = made.count - 1
        } else {
            next = (next + 1) % Self.kept
        }
        made[next].unit = unit
        made[next].plan.move(
            to: cursor, length: plan.slice, marks: m.bosID.map { DocumentMarks(tokens, mark: Int32($0)) })
        return made[next].plan
    }
}
