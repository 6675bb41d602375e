/// A value that belongs to an executor's thread, held where others can pass it on but not touch it.
///
/// Unchecked because the compiler can't see threads: `value` traps on any thread but the executor's, so there is never
/// a second one.
package final class ThreadConfined<Value>: @unchecked Sendable {
    private let executor: ThreadExecutor
    private var stored: Value?

    package init(to executor: ThreadExecutor) { self.executor = executor }

    /// On the executor's thread only.
    package var value: Value? {
        get {
            precondition(executor.isCurrent, "a thread's own value was touched from another thread")
            return stored
        }
        set {
            precondition(executor.isCurrent, "a thread's own value was touched from another thread")
            stored = newValue
        }
    }
}
