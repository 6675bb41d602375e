import Schedules

/// Durations per stage, the means of a sequence's slices, and delays between neighbours, looked up once for the
/// searches. Messages don't hinder each other.
struct PipelineTimes {
    let forward: [Double]
    let input: [Double]
    let weight: [Double]
    let fused: [Double]
    /// From the end of a forward at stage s to its arrival at s + 1; 0 for the last stage.
    let activationDelay: [Double]
    /// From the end of an input gradient at stage s to its arrival at s - 1; 0 for the first stage.
    let gradientDelay: [Double]

    init(shape: ScheduleShape, costs: Costs, network: Network) {
        func times(_ kind: ActionKind) -> [Double] {
            (0..<shape.stages).map {
                costs.meanDuration(kind, at: $0, on: shape.rank(of: $0))
            }
        }
        func delay(_ stage: Int, _ other: Int) -> Double {
            guard (0..<shape.stages).contains(other), shape.rank(of: stage) != shape.rank(of: other) else { return 0 }
            let link = network.link(from: shape.rank(of: stage), to: shape.rank(of: other))
            return link.latency + link.occupancy(bytes: costs.messageBytes[min(stage, other)])
        }
        forward = times(.forward)
        input = times(.backwardInput)
        weight = times(.backwardWeight)
        fused = times(.backward)
        activationDelay = (0..<shape.stages).map { delay($0, $0 + 1) }
        gradientDelay = (0..<shape.stages).map { delay($0, $0 - 1) }
    }

    /// Least time of both gradients of a unit on stage `stage`.
    func gradients(_ stage: Int) -> Double { min(fused[stage], input[stage] + weight[stage]) }

    /// By stage the least time from the end of an input gradient there to the end of the step, through all stages
    /// before it.
    var waysUp: [Double] {
        var ways = [0.0]
        for other in 0..<forward.count - 1 {
            ways.append(
                ways[other] + gradientDelay[other + 1] + (other == 0 ? gradients(0) : min(input[other], fused[other])))
        }
        return ways
    }
}
