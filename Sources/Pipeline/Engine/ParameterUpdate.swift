import Hardware
import Kernels
import Model
import Numerics

/// What a step's update needs to know.
package struct UpdateRule: Sendable {
    package let adam: AdamW
    package let rate: Double
    /// Largest global norm; 0 switches clipping off.
    package let clip: Double

    package init(adam: AdamW, rate: Double, clip: Double) {
        self.adam = adam
        self.rate = rate
        self.clip = clip
    }
}

/// The update of a rank's parameters: the numbers that all ranks tell each other first, the global norm that follows
/// from them, clipping and AdamW.
final class ParameterUpdate {
    private let rank: RankContext
    private let stages: RankStages
    /// What this rank tells the others, and what all told.
    private var own: [Double]
    private var numbers: RankNumbers
    /// Where a row's notes begin.
    private let firstNote: Int
    /// Updates so far.
    private(set) var count = 0

    init(_ rank: RankContext, _ stages: RankStages) {
        self.rank = rank
        self.stages = stages
        // As many squared norms as any rank has tensors have room in a row: all ranks must bring equally many numbers.
        let tensors = rank.plan.mostTensorsOnARank
        firstNote = RankNumbers.Column.norms + tensors
        own = [Double](repeating: 0, count: firstNote)
        numbers = RankNumbers(tensors: tensors)
    }

    /// How a rank's step went before its update.
    struct Progress {
        let tableSeconds, waited, earlyShare: Double
        /// Nil where the last stage isn't.
        let lossSum: Double?
    }

    /// Tells all ranks this one's numbers and the squared norms of the tensors that it updates, and takes theirs.
    ///
    /// - Parameter notes: equally many on every rank
    /// - Returns: the step as all ranks know it then
    func exchange(_ progress: Progress, notes: [Double], countedTargets: Int) throws -> StepReport {
        summarize(progress)
        own.replaceSubrange(firstNote..., with: notes)
        try rank.team.alone(as: .communication) { try numbers.gather(own, rank.endpoint) }
        var report = StepReport(numbers: numbers)
        report.hasTargets = countedTargets > 0
        report.loss = report.hasTargets ? numbers.loss(rank.plan) / Double(countedTargets) : .nan
        report.gradientNorm = numbers.squaredNorm(rank.plan, replica: rank.replica).squareRoot()
        report.idleShare = numbers.ranks.reduce(0) { $0 + numbers.idleShare(of: $1) } / Double(numbers.ranks.count)
        report.skipped = !numbers.areFinite || !report.gradientNorm.isFinite
        return report
    }

    /// Steps AdamW on every tensor that is updated here, with gradients cut to the rule's norm.
    func run(_ rule: UpdateRule, gradientNorm: Double) {
        count += 1
        let clip = rule.clip > 0 ? min(1, rule.clip / (gradientNorm + 1e-6)) : 1
        for stage in stages.all {
            let store = stage.stage.store
            for entry in store.entries {
                guard let tensor = store.updated(entry) else { continue }
                rule.adam.update(rank.team, tensor, AdamW.Step(number: count, rate: rule.rate, clip: Float(clip)))
            }
        }
    }

    /// A run goes on after so many updates.
    func resume(after count: Int) { self.count = count }

    /// Makes one of the gradients that are updated here not a number. Of a tensor that another replica updates, nobody
    /// looks at what is here.
    ///
    /// - Throws: when no tensor is updated here
    func poison(step: Int) throws {
        for stage in stages.all {
            let store = stage.stage.store
            guard let entry = store.entries.first(where: \.isUpdated) else { continue }
            store.gradients.base[entry.offset] = .nan
            return
        }
        throw PipelineError(
            "rank \(rank.endpoint.rank) updates no tensor, so none of its gradients of step \(step + 1) can be "
                + "spoiled: name a rank of another replica")
    }

    /// This rank's numbers: times, loss, and the squared norm of each tensor that it updates, stages ascending, with
    /// zeros in the place of those that other replicas update.
    private func summarize(_ progress: Progress) {
        own[RankNumbers.Column.tableSeconds] = progress.tableSeconds
        own[RankNumbers.Column.waited] = progress.waited
        own[RankNumbers.Column.summedEarly] = progress.earlyShare
        own[RankNumbers.Column.peakMemory] = Double(ProcessMemory.peak)
        if let loss = progress.lossSum { own[RankNumbers.Column.loss] = loss }
        var i = RankNumbers.Column.norms
        for stage in stages.all {
            let store = stage.stage.store
            for entry in store.entries where entry.spec.copyOf == nil {
                if entry.isUpdated { own[i] = sumOfSquares(store.gradients.base + entry.offset, entry.count) }
                i += 1
            }
        }
    }

    /// In blocks of fixed length, so that workers can share a large tensor without changing the order of the sum.
    private func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        let block = 1 << 15
        let blocks = (count + block - 1) / block
        let kernel = KernelTable.best.training.sumOfSquares
        if blocks == 1 { return rank.team.alone(as: .optimizer) { kernel(x, count) } }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { sums in
            let out = sums.baseAddress!
            rank.team.forEach(blocks, as: .optimizer) { b in
                out[b] = kernel(x + b * block, min(block, count - b * block))
            }
            var total = 0.0
            for b in 0..<blocks { total += out[b] }
            return total
        }
    }
}

extension RankNumbers {
    /// Sum of all token losses, replicas ascending.
    fileprivate func loss(_ plan: PipelinePlan) -> Double {
        let last = plan.table.shape.rank(of: plan.lastStage)
        return (0..<plan.replicas).reduce(0) { $0 + self[plan.worldRank(replica: $1, rank: last), Column.loss] }
    }

    /// The squared norms of all tensors, as the replica given or else each one's owner has them, summed in the model's
    /// order.
    fileprivate func squaredNorm(_ plan: PipelinePlan, replica: Int) -> Double {
        let shape = plan.table.shape
        var total = 0.0
        for stage in 0...plan.lastStage {
            let rank = shape.rank(of: stage)
            // A rank's stages stand in its row one after the other.
            var column = Column.norms
            for other in 0..<stage where shape.rank(of: other) == rank { column += plan.originals(of: other).count }
            for tensor in plan.originals(of: stage) {
                let owner = plan.owners?[stage][tensor] ?? replica
                total += self[plan.worldRank(replica: owner, rank: rank), column]
                column += 1
            }
        }
        return total
    }
}
