// Minimal serial team; replaced by the pinned one.
package final class Team {
    package let count: Int
    package var onJoin: (() -> Void)?
    package init(serial: Void = ()) { count = 1 }
    /// Runs `body(worker)` once per worker and returns when all have finished.
    package func run(_ body: (Int) -> Void) { for i in 0..<count { body(i) } }
    /// Runs `body(task)` for every task; task `i` belongs to worker `i * count / tasks`.
    package func forEach(_ tasks: Int, _ body: (Int) -> Void) { for i in 0..<tasks { body(i) } }
}
