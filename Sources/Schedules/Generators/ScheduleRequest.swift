/// What a generator is asked for.
package struct ScheduleRequest: Sendable {
    package var ranks: Int
    /// Stages per rank; nil leaves the choice to the schedule.
    package var virtualStages: Int?
    package var sequences: Int
    package var slices: Int
    /// Most units that each rank may hold at once, counted over its stages; nil if memory doesn't matter.
    package var unitCaps: [Int]?

    package init(ranks: Int, virtualStages: Int? = nil, sequences: Int, slices: Int, unitCaps: [Int]? = nil) {
        self.ranks = ranks
        self.virtualStages = virtualStages
        self.sequences = sequences
        self.slices = slices
        self.unitCaps = unitCaps
    }

    /// The shape with `placement`, or with one stage a rank.
    package func shape(placement: [Int]? = nil) throws -> ScheduleShape {
        guard ranks >= 1 else {
            throw ScheduleError.shape("expected at least 1 for the number of ranks, found \(ranks)")
        }
        return try ScheduleShape(
            ranks: ranks, sequences: sequences, slices: slices, placement: placement ?? Array(0..<ranks))
    }

    /// Refuses a request for several stages a rank, for the schedules that have one.
    func requireOneStagePerRank(_ name: String) throws {
        if let virtualStages, virtualStages != 1 {
            throw ScheduleError.unsupported(
                "schedule '\(name)' has one stage a rank, but \(virtualStages) were asked for; "
                    + "use 'interleaved' or 'zbv', or leave virtual stages at 1")
        }
    }
}
