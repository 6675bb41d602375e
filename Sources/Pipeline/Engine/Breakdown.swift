import Hardware

/// Where the time of some steps went on all ranks, and the memory that it took.
package struct Breakdown: Sendable {
    /// Core-seconds, summed over the ranks.
    package let times: WorkTimes
    /// The most memory that any process of the run has held so far, in bytes.
    package let peakBytes: Int
}

extension RankContext {
    /// From the next step on, counts where the time goes.
    func beginBreakdown() { team.clock = WorkClock(workers: team.count, threads: team.threadCount) }

    /// Ends the count and sums it over all ranks; the same on each.
    func endBreakdown() throws -> Breakdown {
        let own = team.clock?.times ?? WorkTimes()
        team.clock = nil
        let times = try endpoint.gather(own.numbers)
        let peaks = try endpoint.gather(Int(ProcessMemory.peak))
        var sum = WorkTimes()
        for numbers in times { sum.add(numbers) }
        return Breakdown(times: sum, peakBytes: peaks.max() ?? 0)
    }
}
