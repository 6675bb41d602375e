/// What a table schedules: `sequences` x `slices` units through `stages` stages that are placed on `ranks` ranks.
public struct ScheduleShape: Sendable, Equatable {
    /// Ranks of the pipeline.
    public let ranks: Int
    /// Sequences (microbatches) of a step.
    public let sequences: Int
    /// Slices of each sequence.
    public let slices: Int
    /// The rank of every stage.
    public let placement: [Int]
    private let stagesByRank: [[Int]]

    /// Stages of all ranks.
    public var stages: Int { placement.count }
    /// Units (slices of sequences) that pass every stage in a step.
    public var units: Int { sequences * slices }
    /// The largest number of stages on one rank.
    public var virtualStages: Int { stagesByRank.reduce(0) { max($0, $1.count) } }

    /// Largest number of (stage, unit) pairs; keeps every index of a table within 31 bits and every tag, two a pair,
    /// within the 28 bits that MPICH has for them.
    public static let largestSize = 1 << 27
    /// Largest number of ranks.
    public static let largestRanks = 1 << 20

    /// - Parameter placement: the rank of each stage
    /// - Throws: `ScheduleError` for numbers below 1, ranks without a stage, and more than a table can hold
    public init(ranks: Int, sequences: Int, slices: Int, placement: [Int]) throws {
        for (what, value) in [("ranks", ranks), ("sequences", sequences), ("slices", slices)] where value < 1 {
            throw ScheduleError.shape("expected at least 1 for the number of \(what), found \(value)")
        }
        guard ranks <= Self.largestRanks else {
            throw ScheduleError.shape("expected at most \(Self.largestRanks) ranks, found \(ranks)")
        }
        guard Self.isHeld(stages: placement.count, sequences: sequences, slices: slices) else {
            throw ScheduleError.shape(
                "\(placement.count) stages x \(sequences) sequences x \(slices) slices is more than a table can hold; "
                    + "expected at most \(Self.largestSize) in all")
        }
        var stagesByRank = [[Int]](repeating: [], count: ranks)
        for (stage, rank) in placement.enumerated() {
            guard stagesByRank.indices.contains(rank) else {
                throw ScheduleError.shape("stage \(stage) is placed on rank \(rank), expected a rank in 0..<\(ranks)")
            }
            stagesByRank[rank].append(stage)
        }
        if let empty = stagesByRank.firstIndex(where: \.isEmpty) {
            throw ScheduleError.shape(
                "rank \(empty) holds no stage: \(placement.count) stages are placed on \(ranks) ranks; "
                    + "use at most as many ranks as stages and place a stage on each")
        }
        self.ranks = ranks
        self.sequences = sequences
        self.slices = slices
        self.placement = placement
        self.stagesByRank = stagesByRank
    }

    /// Whether a table can hold so many stages and units.
    public static func isHeld(stages: Int, sequences: Int, slices: Int) -> Bool {
        let (units, tooMany) = sequences.multipliedReportingOverflow(by: slices)
        let (size, tooLarge) = units.multipliedReportingOverflow(by: max(1, stages))
        return !tooMany && !tooLarge && size <= largestSize
    }

    /// Where a stage lives.
    public func rank(of stage: Int) -> Int { placement[stage] }

    /// The stages on `rank`, ascending.
    public func stages(on rank: Int) -> [Int] { stagesByRank[rank] }

    /// Whether the boundary between `stage` and `stage + 1` lies between two ranks, so that data crosses it as
    /// messages.
    public func isMessageBoundary(after stage: Int) -> Bool { placement[stage] != placement[stage + 1] }

    /// The unit's number when units are counted by sequence, then by slice.
    public func unit(_ sequence: Int, _ slice: Int) -> Int { sequence * slices + slice }

    /// Whether the action is one of this shape.
    public func contains(_ action: Action) -> Bool {
        action.stage >= 0 && action.stage < stages && action.sequence >= 0 && action.sequence < sequences
            && action.slice >= 0 && action.slice < slices
    }
}
