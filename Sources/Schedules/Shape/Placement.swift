/// How a schedule lays stages on ranks where the choice is left to it.
public enum StageLayout: Sendable, Equatable {
    /// Stage s on rank s.
    case onePerRank
    /// So many stages a rank, stage s on rank s mod P.
    case cyclic(Int)
    /// Two stages a rank, down the ranks and up again.
    case vee

    /// How many stages each rank has.
    public var stagesPerRank: Int {
        switch self {
        case .onePerRank: 1
        case .cyclic(let stages): stages
        case .vee: 2
        }
    }

    /// The rank of each stage.
    public func placement(ranks: Int) -> [Int] {
        switch self {
        case .onePerRank: Array(0..<ranks)
        case .cyclic(let stages): Placement.cyclic(ranks: ranks, virtualStages: stages)
        case .vee: Placement.vee(ranks: ranks)
        }
    }
}

/// The usual ways to lay stages on ranks.
public enum Placement {
    /// Stage s on rank s mod P: with one stage a rank the plain pipeline, with more the interleaved one.
    public static func cyclic(ranks: Int, virtualStages: Int) -> [Int] {
        (0..<ranks * virtualStages).map { $0 % ranks }
    }

    /// Two stages a rank, down the ranks and up again, so that the last stage lives beside the first.
    public static func vee(ranks: Int) -> [Int] {
        Array(0..<ranks) + (0..<ranks).reversed()
    }
}
