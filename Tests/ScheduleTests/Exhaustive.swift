/// Finds the least makespan by running through every order there is, for tests of the search: one stage a rank, no
/// bounds, no heuristics. States that agree in what has been done are kept only if none of them is as early in every
/// time.
struct Exhaustive {
    let ranks, sequences, slices: Int
    let forward, input, weight: [Double]
    let message: Double
    let cap: Int
    /// How a unit counts from its input gradient to its weight gradient.
    let share: Double

    private struct State {
        /// Forwards, input gradients and weight gradients done, rank after rank.
        var done: [Int]
        var free: [Double]
        /// When each forward's output and each input gradient's message reaches the neighbour.
        var outputs: [[Double]]
        var gradients: [[Double]]

        /// The times on which the future depends.
        var times: [Double] {
            var times = free
            for rank in free.indices {
                if rank + 1 < free.count {
                    for unit in done[3 * rank + 3]..<max(done[3 * rank + 3], done[3 * rank]) {
                        times.append(max(outputs[rank][unit], free[rank + 1]))
                    }
                }
                if rank > 0 {
                    for unit in done[3 * rank - 2]..<max(done[3 * rank - 2], done[3 * rank + 1]) {
                        times.append(max(gradients[rank][unit], free[rank - 1]))
                    }
                }
            }
            return times
        }
    }

    /// The least time in which all units can pass, or nil if the cap is too small.
    func makespan() -> Double? {
        let units = sequences * slices
        let never = [[Double]](repeating: [Double](repeating: .infinity, count: units), count: ranks)
        let start = State(
            done: [Int](repeating: 0, count: 3 * ranks), free: [Double](repeating: 0, count: ranks), outputs: never,
            gradients: never)
        var front: [[Int]: [State]] = [start.done: [start]]
        for _ in 0..<3 * units * ranks {
            var next: [[Int]: [State]] = [:]
            for states in front.values {
                for state in states {
                    for rank in 0..<ranks {
                        for successor in successors(state, rank, units) { Self.insert(successor, into: &next) }
                    }
                }
            }
            front = next
        }
        return front.values.joined().map { $0.free.max() ?? 0 }.min()
    }

    private func successors(_ state: State, _ rank: Int, _ units: Int) -> [State] {
        let (f, b, w) = (state.done[3 * rank], state.done[3 * rank + 1], state.done[3 * rank + 2])
        var result: [State] = []
        func add(_ what: Int, ready: Double, time: Double) {
            var state = state
            let end = max(state.free[rank], ready) + time
            state.free[rank] = end
            if what == 0 { state.outputs[rank][f] = end + message }
            if what == 1 { state.gradients[rank][b] = end + message }
            state.done[3 * rank + what] += 1
            result.append(state)
        }
        let held = Double(f - b) + share * Double(b - w)
        if f < units, held + 1 <= Double(cap) + 1e-9, rank == 0 || state.done[3 * rank - 3] > f {
            add(0, ready: rank == 0 ? 0 : state.outputs[rank - 1][f], time: forward[rank])
        }
        if b < units, f >= (b / slices + 1) * slices, rank == ranks - 1 || state.done[3 * rank + 4] > b {
            add(1, ready: rank == ranks - 1 ? 0 : state.gradients[rank + 1][b], time: input[rank])
        }
        if w < b { add(2, ready: 0, time: weight[rank]) }
        return result
    }

    private static func insert(_ state: State, into front: inout [[Int]: [State]]) {
        let times = state.times
        var states = front[state.done] ?? []
        if states.contains(where: { zip($0.times, times).allSatisfy { $0 <= $1 } }) { return }
        states.removeAll { zip(times, $0.times).allSatisfy { $0 <= $1 } }
        states.append(state)
        front[state.done] = states
    }
}
