import Schedules

/// Searches stages x replicas x slice length x schedule x recompute x threads for the shortest step on a cluster.
///
/// Every candidate is first held to its memory and to a bound; what could be among the best is simulated on two short
/// steps, from which a steady pipeline's time follows for any number of sequences, and the best few in full.
package struct Planner {
    private let cluster: Cluster
    private let model: PlannedModel
    private let choice: PlanChoice

    /// How many of the best are simulated in full.
    private static let finalists = 8
    /// Most actions of a full simulation; a longer step keeps its estimate.
    private static let largestSimulation = 4_000_000

    /// - Parameter choice: what is settled already
    package init(cluster: Cluster, model: PlannedModel, choice: PlanChoice = PlanChoice()) {
        self.cluster = cluster
        self.model = model
        self.choice = choice
    }

    /// One candidate simulated in full; nil if the layers don't make so many stages.
    package func run(_ candidate: PlanCandidate) throws -> PlannedRun? {
        guard let item = Prepared(candidate, cluster: cluster, model: model) else { return nil }
        var run = item.run
        try item.simulate(&run)
        return run
    }

    /// Every candidate with what became of it, the best first, then those bounded out, then those that are too large.
    ///
    /// - Throws: `SimulationError` if the cluster and the model leave no candidate.
    package func plan() throws -> [PlannedRun] {
        let all = self.candidates()
        let candidates = all.filter(choice.allows)
        guard all.isEmpty || !candidates.isEmpty else {
            throw SimulationError(
                "none of \(all.count) layouts has \(choice.description); leave something open, or change the cluster")
        }
        guard !candidates.isEmpty else {
            throw SimulationError(
                "no layout fits: a batch of \(model.batch) sequences must divide by the replicas, a sequence of "
                    + "\(model.sequence) tokens by slices that are multiples of the chunk of \(model.chunk), and "
                    + "\(model.layers) layers must be at least as many as stages; change the batch or the nodes")
        }
        var prepared = candidates.compactMap { Prepared($0, cluster: cluster, model: model) }
        prepared.sort { ($0.bound, $0.order) < ($1.bound, $1.order) }
        var runs: [PlannedRun] = []
        var best: [Double] = []
        for item in prepared {
            var run = item.run
            if item.leastMemory > item.memoryLimit {
                run.outcome = .tooLarge
                run.memory = item.leastMemory
            } else if best.count >= Self.finalists, item.bound > best[Self.finalists - 1] {
                run.outcome = .boundedOut
            } else {
                try item.estimate(&run)
                if run.outcome == .estimated {
                    best.append(run.stepTime)
                    best.sort()
                }
            }
            runs.append(run)
        }
        let byCandidate = Dictionary(uniqueKeysWithValues: prepared.map { ($0.run.candidate, $0) })
        runs.sort(by: Self.precedes)
        for index in runs.indices.prefix(Self.finalists) where runs[index].outcome == .estimated {
            guard let item = byCandidate[runs[index].candidate], item.actions <= Self.largestSimulation else {
                continue
            }
            try item.simulate(&runs[index])
        }
        runs.sort(by: Self.precedes)
        // How the step depends on the slice length is shown in full, also where no bound asked for it.
        if let best = runs.first?.candidate {
            for index in runs.indices
            where runs[index].outcome == .boundedOut && runs[index].candidate.differsBySlice(from: best) {
                try byCandidate[runs[index].candidate]?.estimate(&runs[index])
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
            case .tooLarge: 2
            }
        }
        return (rank(a), a.stepTime, a.memory) < (rank(b), b.stepTime, b.memory)
    }

    /// Every combination that divides.
    private func candidates() -> [PlanCandidate] {
        var candidates: [PlanCandidate] = []
        for ranksPerNode in cluster.ranksPerNode {
            let world = cluster.nodes * ranksPerNode
            for stages in 1...min(world, model.layers) where world % stages == 0 && isLayoutUseful(stages, ranksPerNode)
            {
                let replicas = world / stages
                guard model.batch % replicas == 0 else { continue }
                for slice in model.sliceLengths {
                    for (schedule, virtualStages) in schedules(stages) {
                        for recompute in [false, true] {
                            candidates.append(
                                PlanCandidate(
                                    ranksPerNode: ranksPerNode, threads: cluster.cores / ranksPerNode, stages: stages,
                                    virtualStages: virtualStages, replicas: replicas, slice: slice, schedule: schedule,
                                    recompute: recompute))
                        }
                    }
                }
            }
        }
        return candidates
    }

    /// Whether replicas begin at node boundaries or share a node evenly.
    private func isLayoutUseful(_ stages: Int, _ ranksPerNode: Int) -> Bool {
        stages % ranksPerNode == 0 || ranksPerNode % stages == 0
    }

    /// The schedules that are searched.
    package static let schedules = ["1f1b", "zb-h1", "zb-h2", "interleaved", "zbv"]

    private func schedules(_ stages: Int) -> [(String, Int)] {
        guard stages > 1 else { return [("1f1b", 1)] }
        var schedules = [("1f1b", 1), ("zb-h1", 1), ("zb-h2", 1)]
        if 2 * stages <= model.layers { schedules += [("interleaved", 2), ("zbv", 2)] }
        return schedules
    }
}
