import Schedules

/// Searches stages x replicas x slice length x schedule x recompute x threads for the shortest step on a cluster.
///
/// Every candidate is first held to its memory and to a bound; what could be among the best is simulated on two short
/// steps, from which a steady pipeline's time follows for any number of sequences, and the best few in full.
public struct Planner {
    private let cluster: Cluster
    private let model: PlannedModel
    private let choice: PlanChoice

    /// How many of the best are simulated in full.
    private static let finalists = 8
    /// Most actions of a simulation; a longer step keeps its estimate, and a layout that can't be estimated by less is
    /// left out.
    private static let largestSimulation = 4_000_000
    /// Layers, and stages of all layouts together, of a search: seconds.
    private static let mostLayers = 100_000
    private static let mostStages = 20_000_000
    /// Most actions that a search simulates in all, which takes about fifteen seconds: layouts that come later, the
    /// less promising ones, are left out.
    private static let actionBudget = 40_000_000

    /// - Parameter choice: what is settled already
    public init(cluster: Cluster, model: PlannedModel, choice: PlanChoice = PlanChoice()) {
        self.cluster = cluster
        self.model = model
        self.choice = choice
    }

    /// One candidate simulated in full; nil if the layers don't make so many stages.
    public func run(_ candidate: PlanCandidate) throws -> PlannedRun? {
        var splits = LayerSplits(model)
        guard let item = CostedCandidate(candidate, splits: &splits, cluster: cluster, model: model) else { return nil }
        var run = item.run
        try item.simulate(&run)
        return run
    }

    /// Every candidate with what became of it, the best first, then those bounded out, then those that are too large.
    ///
    /// - Throws: `SimulationError` if the cluster and the model leave no candidate.
    public func plan() throws -> [PlannedRun] {
        guard model.layers <= Self.mostLayers else {
            throw SimulationError("at most \(Self.mostLayers) layers can be planned for, found \(model.layers)")
        }
        let (candidates, count) = try self.candidates()
        guard count == 0 || !candidates.isEmpty else {
            throw SimulationError(
                "none of \(count) layouts has \(choice.description); leave something open, or change the cluster")
        }
        guard !candidates.isEmpty else {
            throw SimulationError(
                "no layout fits: a batch of \(model.step.batch) sequences must divide by the replicas, a sequence of "
                    + "\(model.step.sequence) tokens by slices that are multiples of the chunk of \(model.chunk), and "
                    + "\(model.layers) layers must be at least as many as stages; change the batch or the nodes")
        }
        var splits = LayerSplits(model)
        var prepared = candidates.compactMap { CostedCandidate($0, splits: &splits, cluster: cluster, model: model) }
        prepared.sort { ($0.bound, $0.order) < ($1.bound, $1.order) }
        var runs: [PlannedRun] = []
        var best: [Double] = []
        var budget = Self.actionBudget
        for item in prepared {
            var run = item.run
            if item.leastMemory > item.memoryLimit {
                run.outcome = .tooLarge
                run.memory = item.leastMemory
            } else if best.count >= Self.finalists, item.bound > best[Self.finalists - 1] {
                run.outcome = .boundedOut
            } else if item.estimateActions > min(Self.largestSimulation, budget) {
                run.outcome = .tooLong
            } else {
                budget -= item.estimateActions
                try item.estimate(&run)
                if run.outcome == .estimated || run.outcome == .simulated {
                    best.append(run.stepTime)
                    best.sort()
                }
            }
            runs.append(run)
        }
        let byCandidate = Dictionary(uniqueKeysWithValues: prepared.map { ($0.run.candidate, $0) })
        runs.sort(by: Self.precedes)
        for index in runs.indices.prefix(Self.finalists) where runs[index].outcome == .estimated {
            guard let item = byCandidate[runs[index].candidate], item.actions <= min(Self.largestSimulation, budget)
            else { continue }
            budget -= item.actions
            try item.simulate(&runs[index])
        }
        runs.sort(by: Self.precedes)
        // How the step depends on the slice length is shown in full, also where no bound asked for it.
        if let best = runs.first?.candidate {
            for index in runs.indices
            where runs[index].outcome == .boundedOut && runs[index].candidate.differsBySlice(from: best) {
                guard let item = byCandidate[runs[index].candidate], item.estimateActions <= Self.largestSimulation
                else { continue }
                try item.estimate(&runs[index])
            }
            runs.sort(by: Self.precedes)
        }
        return runs
    }

    private static func precedes(_ a: PlannedRun, _ b: PlannedRun) -> Bool {
        func rank(_ run: PlannedRun) -> Int {
            switch run.outcome {
            case .simulated, .estimated: 0
            case .boundedOut: 1
            case .tooLong: 2
            case .tooLarge: 3
            }
        }
        return (rank(a), a.stepTime, a.memory) < (rank(b), b.stepTime, b.memory)
    }

    /// Every combination that divides and that the choice allows, and how many there are without it.
    private func candidates() throws -> (allowed: [PlanCandidate], count: Int) {
        var candidates: [PlanCandidate] = []
        var (count, work) = (0, 0)
        for ranksPerNode in cluster.ranksPerNode {
            let world = cluster.nodes * ranksPerNode
            for stages in Self.divisors(of: world, upTo: model.layers) where isLayoutUseful(stages, ranksPerNode) {
                let replicas = world / stages
                guard model.step.batch % replicas == 0 else { continue }
                for slice in model.sliceLengths {
                    for (schedule, virtualStages) in schedules(stages) {
                        for recompute in [false, true] {
                            let candidate = PlanCandidate(
                                ranksPerNode: ranksPerNode, threads: cluster.node.cores / ranksPerNode, stages: stages,
                                virtualStages: virtualStages, replicas: replicas, slice: slice, schedule: schedule,
                                recompute: recompute)
                            count += 1
                            guard choice.allows(candidate) else { continue }
                            candidates.append(candidate)
                            // A layout is looked at stage by stage.
                            work += stages * virtualStages
                            guard work <= Self.mostStages else { throw Self.tooMany }
                        }
                    }
                }
            }
        }
        return (candidates, count)
    }

    private static let tooMany = SimulationError(
        "there are more layouts than can be looked at; settle what is known already: --stages, --replicas, --threads, "
            + "--slice, --schedule, --recompute")

    /// Ascending.
    private static func divisors(of number: Int, upTo most: Int) -> [Int] {
        var divisors: Set<Int> = []
        var divisor = 1
        while divisor <= number / divisor {
            if number % divisor == 0 { divisors.formUnion([divisor, number / divisor]) }
            divisor += 1
        }
        return divisors.filter { $0 <= most }.sorted()
    }

    /// Whether replicas begin at node boundaries or share a node evenly.
    private func isLayoutUseful(_ stages: Int, _ ranksPerNode: Int) -> Bool {
        stages % ranksPerNode == 0 || ranksPerNode % stages == 0
    }

    /// The names of the schedules that can be planned with.
    public static var schedules: [String] { ScheduleRegistry.all.map(\.name) }

    /// The schedules that are searched: all that can be the best, or the chosen one.
    private var searched: [ScheduleGenerator] {
        ScheduleRegistry.all.filter { generator in
            choice.schedule.map { $0 == generator.name } ?? generator.isPlanned
        }
    }

    private func schedules(_ stages: Int) -> [(name: String, stagesPerRank: Int)] {
        // All orders of one stage take the same time.
        guard stages > 1 else { return [("1f1b", 1)] }
        return searched.lazy.map { ($0.name, $0.layout.stagesPerRank) }.filter { $0.1 * stages <= model.layers }
    }
}
