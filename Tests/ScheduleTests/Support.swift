import Schedules
import Simulation

/// A small generator for property tests: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), the same numbers every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func makeTable(_ name: String, ranks: Int, sequences: Int, slices: Int, virtualStages: Int? = nil) throws
    -> ScheduleTable
{
    try ScheduleRegistry.generator(named: name)
        .make(ScheduleRequest(ranks: ranks, virtualStages: virtualStages, sequences: sequences, slices: slices))
}

func simulate(
    _ table: ScheduleTable, forward: Double = 1, input: Double = 1, weight: Double = 1, message: Double = 0
) throws -> Simulation {
    let scale = 1 / Double(table.shape.stages / table.shape.ranks)
    let stage = StageCosts(forward: forward * scale, backwardInput: input * scale, backwardWeight: weight * scale)
    return try Simulation(
        table, costs: Costs(shape: table.shape, stages: [stage]),
        network: Network(uniform: Link(latency: message)))
}

/// The four digits that papers print.
func fourDigits(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
