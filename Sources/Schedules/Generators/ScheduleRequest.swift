/// What a generator is asked for.
public struct ScheduleRequest: Sendable {
    /// Ranks of the pipeline.
    public var ranks: Int
    /// Stages per rank; nil leaves the choice to the schedule.
    public var virtualStages: Int?
    /// Sequences (microbatches) of a step.
    public var sequences: Int
    /// Slices of each sequence.
    public var slices: Int
    /// Most units that each rank may hold at once, counted over its stages; nil if memory doesn't matter.
    public var unitCaps: [Int]?

    /// - Parameter virtualStages: stages of a rank; nil leaves it to the schedule
    public init(ranks: Int, virtualStages: Int? = nil, sequences: Int, slices: Int, unitCaps: [Int]? = nil) {
        self.ranks = ranks
        self.virtualStages = virtualStages
        self.sequences = sequences
        self.slices = slices
        self.unitCaps = unitCaps
    }

    /// The shape with `placement`, or with one stage a rank.
    public func shape(placement: [Int]? = nil) throws -> ScheduleShape {
        return try ScheduleShape(
            ranks: ranks, sequences: sequences, slices: slices, placement: placement ?? Array(0..<checkedRanks()))
    }

    /// The number of ranks, refused where a placement of `stagesPerRank` on each could not be written.
    public func checkedRanks(stagesPerRank: Int = 1) throws -> Int {
        guard ranks >= 1 else {
            throw ScheduleError.shape("expected at least 1 for the number of ranks, found \(ranks)")
        }
        guard ranks <= ScheduleShape.largestRanks else {
            throw ScheduleError.shape("expected at most \(ScheduleShape.largestRanks) ranks, found \(ranks)")
        }
        guard stagesPerRank >= 1 else {
            throw ScheduleError.shape("expected at least 1 for the stages a rank, found \(stagesPerRank)")
        }
        let (stages, overflow) = ranks.multipliedReportingOverflow(by: stagesPerRank)
        guard !overflow, stages <= ScheduleShape.largestSize else {
            throw ScheduleError.shape(
                "\(ranks) ranks x \(stagesPerRank) stages a rank is more than a table can hold; "
                    + "expected at most \(ScheduleShape.largestSize) stages")
        }
        return ranks
    }

    /// Refuses a request for several stages a rank, for the schedules that have one.
    func requireOneStagePerRank(_ name: String) throws {
        if let virtualStages, virtualStages != 1 {
            throw ScheduleError.unsupported(
                "schedule '\(name)' has one stage a rank, but \(virtualStages) were asked for; "
                    + "use 'interleaved' or 'zbv', or leave virtual stages at 1")
        }
    }

    /// Refuses caps that don't fit the ranks or that no schedule can keep.
    public func requireEnoughMemory(_ shape: ScheduleShape) throws {
        guard let unitCaps else { return }
        guard unitCaps.count == shape.ranks else {
            throw ScheduleError.shape("expected a cap for each of \(shape.ranks) ranks, found \(unitCaps.count)")
        }
        for (rank, cap) in unitCaps.enumerated() {
            let least = shape.slices * shape.stages(on: rank).count
            guard cap >= least else {
                throw ScheduleError.unsupported(
                    "rank \(rank) may hold \(cap) units, but no schedule does with fewer than \(least): a sequence's "
                        + "\(shape.slices) slices are all held when its first gradient starts; raise the cap, "
                        + "recompute, or cut sequences into fewer or cheaper slices")
            }
        }
    }

    /// Refuses a table that holds more units than the caps allow.
    func requireCaps(_ table: ScheduleTable) throws {
        guard let unitCaps else { return }
        try requireEnoughMemory(table.shape)
        for (rank, peak) in Slots(table).peakUnits.enumerated() where peak > unitCaps[rank] {
            throw ScheduleError.unsupported(
                "schedule '\(table.name)' holds \(peak) units on rank \(rank), but at most \(unitCaps[rank]) are "
                    + "allowed; use 'memory-capped' or 'auto', which keep a cap")
        }
    }
}
