/// Counts the seconds of a wait as the waiting thread lives them: a long gap between two looks, such as a process that
/// was stopped and goes on, counts little. So a whole job can be suspended for hours, and no rank takes the others for
/// dead afterwards.
package struct WaitClock {
    /// The longest that the time between two looks may count.
    private static let longestGap = 0.25

    private var last: Double?
    package private(set) var seconds = 0.0

    package init() {}

    /// A look: the seconds so far.
    package mutating func tick() -> Double { tick(now: MonotonicClock.seconds) }

    mutating func tick(now: Double) -> Double {
        if let last { seconds += min(now - last, Self.longestGap) }
        last = now
        return seconds
    }
}
