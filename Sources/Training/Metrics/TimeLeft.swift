/// Estimates when a run ends from the pace of its recent steps, evaluations and other pauses included.
struct TimeLeft {
    /// (step, time) of recent steps, oldest first.
    private var recent: [(step: Int, time: Double)] = []

    private static let window = 50

    /// - Returns: seconds left after `step` of `steps`, or nil while only one step is known.
    mutating func update(step: Int, of steps: Int, now: Double) -> Double? {
        recent.append((step, now))
        if recent.count > Self.window { recent.removeFirst() }
        guard let first = recent.first, step > first.step else { return nil }
        return Double(max(0, steps - step)) * (now - first.time) / Double(step - first.step)
    }
}
