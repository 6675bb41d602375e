import Schedules

/// Searches stages x replicas x slice length x schedule x recompute x threads for the shortest step on a cluster.
///
/// Every candidate is first held to its memory and to a bound; what could be among the best is simulated on two short
/// steps, from which a steady pipeline's time follows for any number of sequences, and the best few in full.
package struct Planner {
    private let cluster: Cluster
    private let model: PlannedModel

    /// How many of the best are simulated in full.
    private static let finalists = 8
    /// Most actions of a full simulation; a longer step keeps its estimate.
    private static let largestSimulation = 4_000_000

    package init(cluster: Cluster, model: PlannedModel) {
        self.cluster = cluster
        self.model = model
    }

    /// Every candidate with what became of it, the best first, then those bounded out, then those that are too large.
    ///
    /// - Throws: `SimulationError` if the cluster and the model leave no candidate.
    package func plan() throws -> [PlannedRun] {
        let candidates = self.candidates()
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

    private func schedules(_ stages: Int) -> [(String, Int)] {
        guard stages > 1 else { return [("1f1b", 1)] }
        var schedules = [("1f1b", 1), ("zb-h1", 1), ("zb-h2", 1)]
        if 2 * stages <= model.layers { schedules += [("interleaved", 2), ("zbv", 2)] }
        return schedules
    }
}
