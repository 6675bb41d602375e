/// Writes one rank's row: each call appends the next action of its kind at a stage, in the order that the rule demands.
struct RowBuilder {
    private let order: UnitOrder
    private var counts: [Int: (forward: Int, input: Int, weight: Int)] = [:]
    private(set) var row: [Action] = []

    init(_ shape: ScheduleShape) {
        order = UnitOrder(slices: shape.slices)
        row.reserveCapacity(3 * shape.units)
    }

    func forwards(_ stage: Int) -> Int { counts[stage]?.forward ?? 0 }
    func backwards(_ stage: Int) -> Int { counts[stage]?.input ?? 0 }
    func weights(_ stage: Int) -> Int { counts[stage]?.weight ?? 0 }

    mutating func forward(_ stage: Int, times: Int = 1) {
        for _ in 0..<max(0, times) {
            let unit = order.forward(forwards(stage))
            row.append(Action(.forward, stage: stage, sequence: unit.sequence, slice: unit.slice))
            counts[stage, default: (0, 0, 0)].forward += 1
        }
    }

    /// Input and weight gradient in one.
    mutating func backward(_ stage: Int, times: Int = 1) {
        for _ in 0..<max(0, times) {
            let unit = order.backward(backwards(stage))
            row.append(Action(.backward, stage: stage, sequence: unit.sequence, slice: unit.slice))
            counts[stage, default: (0, 0, 0)].input += 1
            counts[stage]?.weight += 1
        }
    }

    mutating func backwardInput(_ stage: Int, times: Int = 1) {
        for _ in 0..<max(0, times) {
            let unit = order.backward(backwards(stage))
            row.append(Action(.backwardInput, stage: stage, sequence: unit.sequence, slice: unit.slice))
            counts[stage, default: (0, 0, 0)].input += 1
        }
    }

    mutating func backwardWeight(_ stage: Int, times: Int = 1) {
        for _ in 0..<max(0, times) {
            let unit = order.backward(weights(stage))
            row.append(Action(.backwardWeight, stage: stage, sequence: unit.sequence, slice: unit.slice))
            counts[stage, default: (0, 0, 0)].weight += 1
        }
    }
}
