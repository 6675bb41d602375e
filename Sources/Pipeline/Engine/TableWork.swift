import Numerics
import Schedules

/// What the actions of a table's row mean to the stages of a rank: training, evaluation and generation give each a
/// meaning, and `TableExecutor` runs them all.
protocol TableWork: AnyObject {
    /// What the rank is at while it computes the action at a position of its row.
    func activity(of action: Action, at position: Int) -> StepActivity

    /// Waits until the memory of an action is its own.
    /// - Returns: the seconds that it took
    func begin(_ action: Action, at position: Int) throws -> Double
    /// The action's product is on its way.
    func end(_ action: Action, at position: Int)

    /// Copies the input [T, D] of a forward that another stage made.
    func accept(_ input: FloatBuffer, for action: Action, at position: Int)
    func forward(_ action: Action, at position: Int, output: UnsafeMutablePointer<Float>)
    /// - Parameter scratch: [T, D], for what nobody needs
    func recompute(_ action: Action, at position: Int, scratch: UnsafeMutablePointer<Float>)
    /// - Parameter gradient: [T, D]: holds the output's gradient (on the last stage nothing) and receives the input's
    func backward(_ action: Action, at position: Int, gradient: UnsafeMutablePointer<Float>)
    func accumulateWeightGradients(_ action: Action, at position: Int)

    /// Where the actions are put on the timeline, while one is kept; nil: nowhere.
    var tracer: Tracer? { get }
}

/// Work that goes forward only, in memory that waits for nothing.
extension TableWork {
    func begin(_ action: Action, at position: Int) -> Double { 0 }
    func end(_ action: Action, at position: Int) {}

    func recompute(_ action: Action, at position: Int, scratch: UnsafeMutablePointer<Float>) { refuse(action) }
    func backward(_ action: Action, at position: Int, gradient: UnsafeMutablePointer<Float>) { refuse(action) }
    func accumulateWeightGradients(_ action: Action, at position: Int) { refuse(action) }

    private func refuse(_ action: Action) {
        preconditionFailure("\(action) is in a table of forwards")
    }

    var tracer: Tracer? { nil }
}
