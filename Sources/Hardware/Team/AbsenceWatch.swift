/// Finds the thread that one waits for in vain, because another program holds its core: the time for which it has had a
/// core stands still.
///
/// It looks at one thread at a time, and not before the wait is long for a wait: a look is a system call.
struct AbsenceWatch {
    /// Seconds of waiting before the first look, and between two looks at a thread.
    private static let patience = 30e-6
    private static let interval = 60e-6
    /// A thread that computes has its core for more than this share of the time.
    private static let leastShare = 0.25

    private var begin = 0.0
    private var thread: Int?
    private var wall = 0.0
    private var onCore = 0.0

    /// Whether it is time for another look; a clock's look.
    mutating func isDue(_ now: Double) -> Bool {
        if begin == 0 { begin = now }
        return now - begin >= Self.patience && now - wall >= Self.interval
    }

    /// The thread that was looked at last, when it is busy without having a core.
    func absent(_ now: Double, isBusy: (Int) -> Bool, seconds: (Int) -> Double) -> Int? {
        guard let thread, isBusy(thread) else { return nil }
        return seconds(thread) - onCore < Self.leastShare * (now - wall) ? thread : nil
    }

    /// Looks at the next busy thread of a range.
    mutating func look(at threads: Range<Int>, _ now: Double, isBusy: (Int) -> Bool, seconds: (Int) -> Double) {
        let last = thread ?? threads.lowerBound
        let next = threads.first { $0 > last && isBusy($0) } ?? threads.first(where: isBusy)
        thread = next
        wall = now
        if let next { onCore = seconds(next) }
    }
}
