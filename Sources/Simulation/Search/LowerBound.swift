import Schedules

/// A time below which no schedule with one stage a rank can get, whatever its order.
struct LowerBound {
    /// Seconds.
    let makespan: Double

    /// - Parameter memory: how many weight gradients a rank must run before its last forward
    init(shape: ScheduleShape, times: PipelineTimes, memory: MemoryLimit) {
        let units = Double(shape.units)
        let last = shape.stages - 1
        var head = 0.0
        var best = 0.0
        let ways = times.waysUp
        for stage in 0...last {
            let (forward, input) = (times.forward[stage], min(times.input[stage], times.fused[stage]))
            // All of the stage's work between the first arrival and the end.
            best = max(best, head + units * (forward + times.gradients(stage)))
            // All forwards, all input gradients and the weight gradients that memory forces, then the way up.
            let forced = Self.forcedWeights(shape, memory, stage: stage)
            let weight = max(0, times.gradients(stage) - input)
            if stage > 0 {
                best = max(best, head + units * (forward + input) + forced * weight + ways[stage])
            }
            head += forward + times.activationDelay[stage]
        }
        // The last unit's way down after all forwards of stage 0, the last sequence's slices on the last stage, the way
        // up.
        let down = (1..<shape.stages).reduce(units * times.forward[0]) {
            $0 + times.activationDelay[$1 - 1] + times.forward[$1]
        }
        let slices = Double(shape.slices - 1) * min(times.input[last], times.fused[last])
        let up = last == 0 ? times.gradients(0) : min(times.input[last], times.fused[last]) + ways[last]
        makespan = max(best, down + slices + up)
    }

    /// Weight gradients that must be done before the stage's last forward can start.
    private static func forcedWeights(_ shape: ScheduleShape, _ memory: MemoryLimit, stage: Int) -> Double {
        let cap = memory.caps[shape.rank(of: stage)] * (1 + MemoryLimit.tolerance)
        let least = min(memory.unit[stage], memory.afterInput[stage])
        guard cap.isFinite, least > 0 else { return 0 }
        // At the last forward's start it holds itself and, of every other unit whose weight gradient is open, at least
        // `least`.
        let open = ((cap - memory.unit[stage]) / least).rounded(.down)
        return max(0, Double(shape.units - 1) - open)
    }
}
