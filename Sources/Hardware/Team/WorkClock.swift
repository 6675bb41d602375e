/// Counts where a team's time goes, while it is on: two looks at the clock for each piece of work, no memory after its
/// making.
///
/// A worker's share adds to cells of its own within a round, whoever computes it; the leader reads them between rounds.
package final class WorkClock {
    private static let works = Work.count
    private static let parts = StepPart.allCases.count
    /// Doubles from one worker's cells to the next: whole pairs of cache lines.
    private static let stride = (parts * works + 15) / 16 * 16

    private let workers: Int
    private let threads: Int
    private let cells: UnsafeMutablePointer<Double>
    /// The leader's time in rounds of work, and in the part as a whole.
    private var rounds: [Double]
    private var walls: [Double]
    private var part: StepPart?
    private var entered = 0.0

    /// - Parameter threads: that compute the workers' shares
    package init(workers: Int, threads: Int) {
        self.workers = workers
        self.threads = threads
        cells = UnsafeMutableRawPointer.allocate(
            byteCount: workers * Self.stride * MemoryLayout<Double>.stride, alignment: 128
        ).bindMemory(to: Double.self, capacity: workers * Self.stride)
        cells.initialize(repeating: 0, count: workers * Self.stride)
        rounds = [Double](repeating: 0, count: Self.parts)
        walls = rounds
    }

    deinit { cells.deallocate() }

    /// From now on time belongs to `next`; nil: to no step.
    package func enter(_ next: StepPart?) {
        let now = MonotonicClock.seconds
        if let part { walls[part.rawValue] += now - entered }
        part = next
        entered = now
    }

    /// Counts a worker's piece of work.
    func count(_ work: Work, of worker: Int, since start: Double) {
        guard let part else { return }
        cells[worker &* Self.stride &+ part.rawValue &* Self.works &+ work.rawValue] += MonotonicClock.seconds - start
    }

    /// Counts a round of work, as the leader sees it.
    func close(since start: Double) {
        guard let part else { return }
        rounds[part.rawValue] += MonotonicClock.seconds - start
    }

    /// Counts what the leader did while the workers waited.
    package func alone(_ work: Work, since start: Double) {
        count(work, of: 0, since: start)
        close(since: start)
    }

    /// What has been counted, between two steps.
    package var times: WorkTimes {
        var times = WorkTimes()
        for part in StepPart.allCases {
            for work in 0..<Self.works {
                times[Work(rawValue: work), part] = (0..<workers).reduce(0) {
                    $0 + cells[$1 * Self.stride + part.rawValue * Self.works + work]
                }
            }
            times[rest: part] = walls[part.rawValue] - rounds[part.rawValue]
            times[total: part] = walls[part.rawValue] * Double(threads)
        }
        return times
    }
}
