import Schedules

/// Finds the table of least makespan with one stage a rank by branch and bound, for small shapes.
///
/// At every node the action that could end first decides the rank; only what that rank could start before then needs to
/// be tried (active schedules, Giffler and Thompson 1960). A state is cut off if its bound reaches the best known
/// makespan or if the same actions were run before with nothing later. Links are taken to carry any number of messages
/// at once.
struct ExactSearch {
    enum Outcome {
        /// No table is shorter than the given one.
        case nothingShorter
        /// The shortest table.
        case shorter(ScheduleTable)
        /// The search gave up; a shorter table, if it found one, may not be the shortest.
        case unfinished(ScheduleTable?)
    }

    private static let bitsPerCount = 5
    /// Counts of units and ranks that fit a state's key.
    static func fits(_ shape: ScheduleShape) -> Bool {
        shape.virtualStages == 1 && shape.units < 1 << bitsPerCount && 3 * bitsPerCount * shape.ranks <= 64
    }

    private let shape: ScheduleShape
    private let times: PipelineTimes
    private let waysUp: [Double]
    private let memory: MemoryLimit
    private let units: Int
    private let last: Int
    private let needed: [Int]
    private let order: UnitOrder
    private let usesFused: Bool
    private var nodesLeft: Int
    private var best: Double
    private var bestRows: [[Step]]?
    private var forwards: [Int]
    private var inputs: [Int]
    private var weights: [Int]
    private var held: [Double]
    private var free: [Double]
    private var activation: [[Double]]
    private var gradient: [[Double]]
    private var rows: [[Step]]
    private var seen: [UInt64: [[Double]]] = [:]

    private enum Step { case forward, input, weight, fused }

    private init(
        shape: ScheduleShape, times: PipelineTimes, memory: MemoryLimit, bound: Double, nodes: Int
    ) {
        self.shape = shape
        self.times = times
        waysUp = times.waysUp
        self.memory = memory
        units = shape.units
        last = shape.ranks - 1
        let order = UnitOrder(slices: shape.slices)
        self.order = order
        needed = (0..<shape.units).map { order.forwardsBefore(backward: $0) }
        usesFused = (0..<shape.ranks).contains { times.fused[$0] < times.input[$0] + times.weight[$0] }
        nodesLeft = nodes
        best = bound
        let zeros = [Int](repeating: 0, count: shape.ranks)
        (forwards, inputs, weights) = (zeros, zeros, zeros)
        held = [Double](repeating: 0, count: shape.ranks)
        free = held
        activation = [[Double]](repeating: [Double](repeating: 0, count: shape.units), count: shape.ranks)
        gradient = activation
        rows = [[Step]](repeating: [], count: shape.ranks)
    }

    /// - Parameters:
    ///   - bound: only tables with a makespan clearly below this are looked for
    ///   - nodes: how many states may be looked at
    static func run(
        shape: ScheduleShape, times: PipelineTimes, memory: MemoryLimit, bound: Double, nodes: Int, name: String
    ) -> Outcome {
        precondition(fits(shape), "the shape is too large for an exact search")
        var search = ExactSearch(shape: shape, times: times, memory: memory, bound: bound, nodes: nodes)
        search.visit()
        let table = search.bestRows.map { search.table($0, name: name) }
        if search.nodesLeft <= 0 { return .unfinished(table) }
        return table.map { .shorter($0) } ?? .nothingShorter
    }

    private func table(_ rows: [[Step]], name: String) -> ScheduleTable {
        let actions = rows.enumerated().map { rank, row in
            var (forward, input, weight) = (0, 0, 0)
            func action(_ kind: ActionKind, _ unit: (sequence: Int, slice: Int)) -> Action {
                Action(kind, stage: shape.stages(on: rank)[0], sequence: unit.sequence, slice: unit.slice)
            }
            return row.map { step in
                switch step {
                case .forward:
                    forward += 1
                    return action(.forward, order.forward(forward - 1))
                case .input:
                    input += 1
                    return action(.backwardInput, order.backward(input - 1))
                case .weight:
                    weight += 1
                    return action(.backwardWeight, order.backward(weight - 1))
                case .fused:
                    input += 1
                    weight += 1
                    return action(.backward, order.backward(input - 1))
                }
            }
        }
        return ScheduleTable(name: name, shape: shape, rows: actions)
    }

    private mutating func visit() {
        nodesLeft -= 1
        guard nodesLeft > 0 else { return }
        if (0...last).allSatisfy({ weights[$0] == units }) {
            let makespan = free.max() ?? 0
            if makespan < best * (1 - 1e-12) {
                best = makespan
                bestRows = rows
            }
            return
        }
        guard bound() < best * (1 - 1e-9), isNew() else { return }
        var choices: [(step: Step, start: Double, end: Double)] = []
        var firstEnd = Double.infinity
        var decider = -1
        for rank in 0...last {
            for choice in possible(rank) where choice.end < firstEnd {
                firstEnd = choice.end
                decider = rank
            }
        }
        guard decider >= 0 else { return }
        choices = possible(decider).filter { $0.start < firstEnd }
        for choice in choices { run(choice.step, on: decider, start: choice.start, end: choice.end) }
    }

    private func possible(_ rank: Int) -> [(step: Step, start: Double, end: Double)] {
        var choices: [(step: Step, start: Double, end: Double)] = []
        func add(_ step: Step, _ ready: Double, _ duration: Double) {
            let start = max(free[rank], ready)
            choices.append((step, start, start + duration))
        }
        let (forward, input, weight) = (forwards[rank], inputs[rank], weights[rank])
        if input < units, forward >= needed[input], rank == last || inputs[rank + 1] > input {
            let ready = rank == last ? 0 : gradient[rank][input]
            add(.input, ready, times.input[rank])
            if usesFused, weight == input { add(.fused, ready, times.fused[rank]) }
        }
        if forward < units, memory.allows(rank, on: rank, holding: held[rank]),
            rank == 0 || forwards[rank - 1] > forward
        {
            add(.forward, rank == 0 ? 0 : activation[rank][forward], times.forward[rank])
        }
        if weight < input { add(.weight, 0, times.weight[rank]) }
        return choices
    }

    private mutating func run(_ step: Step, on rank: Int, start: Double, end: Double) {
        let (heldBefore, freeBefore) = (held[rank], free[rank])
        free[rank] = end
        rows[rank].append(step)
        switch step {
        case .forward:
            if rank < last { activation[rank + 1][forwards[rank]] = end + times.activationDelay[rank] }
            forwards[rank] += 1
            held[rank] += memory.unit[rank]
        case .input, .fused:
            if rank > 0 { gradient[rank - 1][inputs[rank]] = end + times.gradientDelay[rank] }
            inputs[rank] += 1
            held[rank] += (step == .fused ? 0 : memory.afterInput[rank]) - memory.unit[rank]
            if step == .fused { weights[rank] += 1 }
        case .weight:
            weights[rank] += 1
            held[rank] -= memory.afterInput[rank]
        }
        visit()
        rows[rank].removeLast()
        (held[rank], free[rank]) = (heldBefore, freeBefore)
        switch step {
        case .forward: forwards[rank] -= 1
        case .input: inputs[rank] -= 1
        case .fused:
            inputs[rank] -= 1
            weights[rank] -= 1
        case .weight: weights[rank] -= 1
        }
    }

    /// A time before which no table that begins like this one ends.
    private func bound() -> Double {
        var bound = 0.0
        // When the next forward of each stage can start at the earliest, from the first stage down.
        var nextForward = free
        for rank in 0...last where forwards[rank] < units && rank > 0 {
            let arrival =
                forwards[rank - 1] > forwards[rank]
                ? activation[rank][forwards[rank]]
                : nextForward[rank - 1] + times.forward[rank - 1] + times.activationDelay[rank - 1]
            nextForward[rank] = max(free[rank], arrival)
        }
        var nextInput = free
        for rank in (0...last).reversed() where inputs[rank] < units {
            let missing = needed[inputs[rank]] - forwards[rank]
            var ready = free[rank]
            if missing > 0 { ready = nextForward[rank] + Double(missing) * times.forward[rank] }
            if rank < last {
                let arrival =
                    inputs[rank + 1] > inputs[rank]
                    ? gradient[rank][inputs[rank]]
                    : nextInput[rank + 1] + min(times.input[rank + 1], times.fused[rank + 1])
                        + times.gradientDelay[rank + 1]
                ready = max(ready, arrival)
            }
            nextInput[rank] = ready
        }
        for rank in 0...last {
            let forwardsLeft = Double(units - forwards[rank])
            let inputsLeft = Double(units - inputs[rank])
            let input = min(times.input[rank], times.fused[rank])
            let open = Double(inputs[rank] - weights[rank])
            var start = free[rank]
            if open == 0 {
                start = .infinity
                if forwards[rank] < units { start = min(start, nextForward[rank]) }
                if inputs[rank] < units { start = min(start, nextInput[rank]) }
                if start == .infinity { start = free[rank] }
            }
            let work =
                forwardsLeft * times.forward[rank] + inputsLeft * times.gradients(rank) + open * times.weight[rank]
            bound = max(bound, start + work)
            guard inputsLeft > 0 else { continue }
            let way = rank == 0 ? times.gradients(0) - input : waysUp[rank]
            bound = max(bound, start + forwardsLeft * times.forward[rank] + inputsLeft * input + way)
            bound = max(bound, nextInput[rank] + inputsLeft * input + way)
            if forwardsLeft > 0 {
                var path = nextForward[rank] + forwardsLeft * times.forward[rank]
                for other in rank + 1..<max(rank + 1, last + 1) {
                    path += times.activationDelay[other - 1] + times.forward[other]
                }
                let lastInput = min(times.input[last], times.fused[last])
                path += Double(shape.slices) * lastInput
                path += last == 0 ? times.gradients(0) - lastInput : waysUp[last]
                bound = max(bound, path)
            }
        }
        return bound
    }

    /// Notes this state; false if one with the same actions and no later times was seen.
    private mutating func isNew() -> Bool {
        var key: UInt64 = 0
        var state: [Double] = []
        for rank in 0...last {
            for count in [forwards[rank], inputs[rank], weights[rank]] {
                key = key << UInt64(Self.bitsPerCount) | UInt64(count)
            }
            state.append(free[rank])
            if rank > 0 {
                for unit in forwards[rank]..<max(forwards[rank], forwards[rank - 1]) {
                    state.append(max(free[rank], activation[rank][unit]))
                }
            }
            if rank < last {
                for unit in inputs[rank]..<max(inputs[rank], inputs[rank + 1]) {
                    state.append(max(free[rank], gradient[rank][unit]))
                }
            }
        }
        var front = seen[key] ?? []
        for other in front where zip(other, state).allSatisfy({ $0 <= $1 }) { return false }
        front.removeAll { other in zip(state, other).allSatisfy { $0 <= $1 } }
        front.append(state)
        seen[key] = front
        return true
    }
}
