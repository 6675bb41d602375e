import Schedules

/// Makes a table by running the pipeline under given costs and deciding at each rank, whenever it is free, what it does
/// next. The outcome is legal by construction: it is the record of a run that reached its end.
struct GreedyScheduler {
    /// How a rank decides.
    struct Policy: Hashable {
        /// Which goes first when an input gradient and a forward are both possible.
        enum Preference: Hashable { case backward, forward, alternate }

        var preference = Preference.backward
        /// Units by which the forwards of a rank may run ahead of its backwards: K-1, and this many per rank behind it.
        var leadPerRank = 1.0
        /// A weight gradient starts only if nothing else is known to come within this share of its time.
        var patience = 1.0
        /// Whether backwards are fused.
        var fusesBackward = false
    }

    private let shape: ScheduleShape
    private let costs: Costs
    private let memory: MemoryLimit
    private let order: UnitOrder
    private let times: PipelineTimes

    init(shape: ScheduleShape, costs: Costs, network: Network, memory: MemoryLimit) {
        self.shape = shape
        self.costs = costs
        self.memory = memory
        order = UnitOrder(slices: shape.slices)
        times = PipelineTimes(shape: shape, costs: costs, network: network)
    }

    /// The table that `policy` leads to, or nil if its choices end in a deadlock under the caps.
    func table(_ policy: Policy, name: String) -> ScheduleTable? {
        var run = Run(self, policy)
        guard run.finish() else { return nil }
        return ScheduleTable(name: name, shape: shape, rows: run.rows)
    }
}

extension GreedyScheduler {
    /// The state of one run.
    private struct Run {
        private struct Stage {
            var forwards = 0
            var inputs = 0
            var weights = 0
            /// When the input of each forward is there, and when the gradient for each backward is.
            var activation: [Double]
            var gradient: [Double]
        }

        private let scheduler: GreedyScheduler
        private let policy: Policy
        private let units: Int
        private var stages: [Stage]
        private(set) var rows: [[Action]]
        private var held: [Double]
        private var free: [Double]
        private var lastWasForward: [Bool]
        /// Ranks by the time at which they look for work.
        private var wakeUps = TimeQueue()

        init(_ scheduler: GreedyScheduler, _ policy: Policy) {
            self.scheduler = scheduler
            self.policy = policy
            let shape = scheduler.shape
            units = shape.units
            let never = [Double](repeating: .infinity, count: shape.units)
            stages = [Stage](repeating: Stage(activation: never, gradient: never), count: shape.stages)
            stages[0].activation = [Double](repeating: 0, count: shape.units)
            stages[shape.stages - 1].gradient = [Double](repeating: 0, count: shape.units)
            rows = [[Action]](repeating: [], count: shape.ranks)
            held = [Double](repeating: 0, count: shape.ranks)
            free = [Double](repeating: 0, count: shape.ranks)
            lastWasForward = [Bool](repeating: false, count: shape.ranks)
        }

        /// Runs to the end; false if no rank can go on before that.
        mutating func finish() -> Bool {
            for rank in rows.indices { wakeUps.insert(rank, at: 0) }
            while let (time, rank) = wakeUps.removeFirst() {
                guard time >= free[rank] else { continue }
                if let choice = choose(rank, at: time) {
                    start(choice.kind, stage: choice.stage, on: rank, at: time)
                } else if let next = nextArrival(rank, after: time) {
                    wakeUps.insert(rank, at: next)
                }
            }
            return stages.allSatisfy { $0.weights == units }
        }

        private func isForwardAllowed(_ stage: Int, on rank: Int) -> Bool {
            let state = stages[stage]
            guard state.forwards < units, scheduler.memory.allows(stage, on: rank, holding: held[rank]) else {
                return false
            }
            let slices = scheduler.shape.slices
            // The slices of the sequence whose gradients come next are needed in any case.
            if state.forwards < scheduler.order.forwardsBefore(backward: min(units - 1, state.inputs)) { return true }
            let behind = Double(scheduler.shape.stages - 1 - stage)
            return Double(state.forwards - state.inputs) < Double(slices) + policy.leadPerRank * behind
        }

        private func forward(_ rank: Int, at time: Double) -> Int? {
            scheduler.shape.stages(on: rank).reversed().first { stage in
                isForwardAllowed(stage, on: rank) && stages[stage].activation[stages[stage].forwards] <= time
            }
        }

        private func backward(_ rank: Int, at time: Double) -> Int? {
            scheduler.shape.stages(on: rank).first { stage in
                let state = stages[stage]
                return state.inputs < units && state.forwards >= scheduler.order.forwardsBefore(backward: state.inputs)
                    && state.gradient[state.inputs] <= time
            }
        }

        private func weight(_ rank: Int) -> Int? {
            scheduler.shape.stages(on: rank).first { stages[$0].weights < stages[$0].inputs }
        }

        /// Whether memory keeps every stage of the rank that has forwards left from starting one.
        private func isFull(_ rank: Int) -> Bool {
            let waiting = scheduler.shape.stages(on: rank).filter { stages[$0].forwards < units }
            return !waiting.isEmpty
                && waiting.allSatisfy { !scheduler.memory.allows($0, on: rank, holding: held[rank]) }
        }

        private func choose(_ rank: Int, at time: Double) -> (kind: ActionKind, stage: Int)? {
            let backwardKind: ActionKind = policy.fusesBackward ? .backward : .backwardInput
            let forward = forward(rank, at: time)
            let backward = backward(rank, at: time)
            if let forward, let backward {
                let forwardFirst =
                    switch policy.preference {
                    case .backward: false
                    case .forward: true
                    case .alternate: !lastWasForward[rank]
                    }
                return forwardFirst ? (.forward, forward) : (backwardKind, backward)
            }
            if let backward { return (backwardKind, backward) }
            if let forward { return (.forward, forward) }
            guard let weight = weight(rank) else { return nil }
            // A rank that is full has to free a unit before anything else can come.
            if isFull(rank) { return (.backwardWeight, weight) }
            let duration = scheduler.times.weight[weight]
            if let next = nextArrival(rank, after: time), next - time < policy.patience * duration { return nil }
            return (.backwardWeight, weight)
        }

        /// When the next known input of the rank arrives, if it may then be used.
        private func nextArrival(_ rank: Int, after time: Double) -> Double? {
            var next = Double.infinity
            for stage in scheduler.shape.stages(on: rank) {
                let state = stages[stage]
                if isForwardAllowed(stage, on: rank) { next = min(next, max(time, state.activation[state.forwards])) }
                if state.inputs < units, state.forwards >= scheduler.order.forwardsBefore(backward: state.inputs) {
                    next = min(next, max(time, state.gradient[state.inputs]))
                }
            }
            return next > time && next < .infinity ? next : nil
        }

        private mutating func start(_ kind: ActionKind, stage: Int, on rank: Int, at time: Double) {
            let index =
                switch kind {
                case .forward: stages[stage].forwards
                case .backward, .backwardInput, .recompute: stages[stage].inputs
                case .backwardWeight: stages[stage].weights
                }
            let unit = kind == .forward ? scheduler.order.forward(index) : scheduler.order.backward(index)
            let action = Action(kind, stage: stage, sequence: unit.sequence, slice: unit.slice)
            rows[rank].append(action)
            let end = time + scheduler.costs.duration(action, on: rank)
            free[rank] = end
            held[rank] += scheduler.memory.change(before: action) + scheduler.memory.change(after: action)
            lastWasForward[rank] = kind == .forward
            if kind == .forward {
                stages[stage].forwards += 1
                if stage + 1 < stages.count {
                    arrive(end + scheduler.times.activationDelay[stage], at: stage + 1) { $0.activation[index] = $1 }
                }
            }
            if kind.givesInputGradient {
                stages[stage].inputs += 1
                if stage > 0 {
                    arrive(end + scheduler.times.gradientDelay[stage], at: stage - 1) { $0.gradient[index] = $1 }
                }
            }
            if kind.givesWeightGradient {
                stages[stage].weights += 1
            }
            wakeUps.insert(rank, at: end)
        }

        private mutating func arrive(_ time: Double, at stage: Int, _ note: (inout Stage, Double) -> Void) {
            note(&stages[stage], time)
            let rank = scheduler.shape.rank(of: stage)
            wakeUps.insert(rank, at: max(time, free[rank]))
        }
    }
}
