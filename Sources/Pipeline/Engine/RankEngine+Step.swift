import Glibc
import Hardware
import Kernels
import Model
import Numerics
import Schedules

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

extension RankEngine {
    /// One training step: the table, the sync, the global norm, the update. The numbers of the report are the same on
    /// every rank.
    ///
    /// - Parameters:
    ///   - notes: numbers that this rank tells all others with the norms, asked for when the gradients are complete;
    ///     equally many
    ///     on every rank
    ///   - disturbance: asked for then too
    func step(
        _ batch: Batch, number: Int, rule: UpdateRule, notes: () -> [Double], disturbance: () throws -> Disturbance?
    ) throws -> StepReport {
        precondition(batch.sequences == plan.sequences && batch.length == plan.sequence, "the batch must fit the plan")
        let start = MonotonicClock.seconds
        waited = 0
        team.clock?.enter(.update)
        defer { team.clock?.enter(nil) }
        try timed(.begin) {
            load(batch)
            for place in places { place.stage.beginStep() }
            try messages.begin(plan.messages)
        }
        try runTable(batch, step: number)
        team.clock?.enter(.update)
        let tableSeconds = MonotonicClock.seconds - start
        if let sync { try timed(.sync) { try team.alone(as: .communication) { try sync.finish() } } }
        if plan.hasTies {
            try timed(.tied) { try team.alone(as: .communication) { try exchangeTiedGradients() } }
        }
        try disturb(disturbance(), step: number)
        try timed(.norm) {
            summarize(tableSeconds: tableSeconds)
            ownNumbers.replaceSubrange((RankNumbers.Place.norms + tensorRoom)..., with: notes())
            try team.alone(as: .communication) { try numbers.gather(ownNumbers, endpoint) }
        }
        var report = StepReport(numbers: numbers)
        report.hasTargets = batch.countedTargets > 0
        report.loss = report.hasTargets ? numbers.loss(plan) / Double(batch.countedTargets) : .nan
        report.gradientNorm = numbers.squaredNorm(plan, replica: replica).squareRoot()
        report.idleShare = numbers.ranks.reduce(0) { $0 + numbers.idleShare(of: $1) } / Double(numbers.ranks.count)
        if !numbers.areFinite || !report.gradientNorm.isFinite {
            report.skipped = true
        } else if report.hasTargets {
            optimizerStep += 1
            let clip = rule.clip > 0 ? min(1, rule.clip / (report.gradientNorm + 1e-6)) : 1
            pulse.turn(to: StepActivity.updates(step: Int32(number)))
            timed(.optimizer) { update(rule, clip: Float(clip)) }
            if let updates { try timed(.share) { try team.alone(as: .communication) { try updates.run() } } }
        }
        for place in places { place.settleStreams(skipped: report.skipped) }
        report.seconds = MonotonicClock.seconds - start
        return report
    }

    private func disturb(_ disturbance: Disturbance?, step: Int) throws {
        switch disturbance {
        case nil: break
        case .poison:
            // Of a tensor that another replica updates, nobody looks at what is here.
            for place in places {
                let store = place.stage.store
                guard let entry = store.entries.first(where: \.isUpdated) else { continue }
                store.gradients.base[entry.offset] = .nan
                return
            }
            throw PipelineError(
                "rank \(endpoint.rank) updates no tensor, so none of its gradients of step \(step + 1) can be spoiled: "
                    + "name a rank of another replica")
        case .hang: while true { sleep(1) }
        }
    }

    private func update(_ rule: UpdateRule, clip: Float) {
        for place in places {
            let store = place.stage.store
            for e in store.entries {
                guard let tensor = store.updated(e) else { continue }
                rule.adam.update(team, tensor, AdamW.Step(number: optimizerStep, rate: rule.rate, clip: clip))
            }
        }
    }

    /// This rank's numbers for the all-gather: times, loss, and the squared norm of each tensor that it updates, stages
    /// ascending, with zeros in the place of those that other replicas update. Padded, since all ranks must bring
    /// equally many.
    private func summarize(tableSeconds: Double) {
        ownNumbers[RankNumbers.Place.tableSeconds] = tableSeconds
        ownNumbers[RankNumbers.Place.waited] = waited
        ownNumbers[RankNumbers.Place.summedEarly] = sync?.earlyShare ?? 0
        ownNumbers[RankNumbers.Place.peakMemory] = Double(ProcessMemory.peak)
        if places.contains(where: \.isLast) {
            ownNumbers[RankNumbers.Place.loss] = unitLosses[..<(plan.sequences * plan.slices)].reduce(0, +)
        }
        var i = RankNumbers.Place.norms
        for place in places {
            let store = place.stage.store
            for e in store.entries where e.spec.copyOf == nil {
                if e.isUpdated { ownNumbers[i] = sumOfSquares(store.gradients.base + e.offset, e.count) }
                i += 1
            }
        }
    }

    /// In blocks of fixed length, so that workers can share a large tensor without changing the order of the sum.
    private func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
        let block = 1 << 15
        let blocks = (count + block - 1) / block
        let kernel = KernelTable.best.training.sumOfSquares
        if blocks == 1 { return team.alone(as: .optimizer) { kernel(x, count) } }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { sums in
            let out = sums.baseAddress!
            team.forEach(blocks, as: .optimizer) { b in out[b] = kernel(x + b * block, min(block, count - b * block)) }
            var total = 0.0
            for b in 0..<blocks { total += out[b] }
            return total
        }
    }

    /// Tied tensors: the gradient of the original and that of the copy are summed on both, always in this order, so
    /// that the two stay equal and every layout gives the same bits. In one replica alone when that one updates both
    /// (`TensorOwners`).
    private func exchangeTiedGradients() throws { for tie in plan.ties { try exchange(tie) } }

    private func exchange(_ tie: PipelinePlan.Tie) throws {
        func part(_ tensor: (name: String, stage: Int)) -> (UnsafeMutablePointer<Float>, Int)? {
            guard let store = places.first(where: { $0.number == tensor.stage })?.stage.store,
                let entry = store[tensor.name], entry.isUpdated
            else { return nil }
            return (store.gradients.base + entry.offset, entry.count)
        }
        let input = part(tie.original)
        let output = part(tie.copy)
        switch (input, output) {
        case (let (a, count)?, let (b, _)?):
            for i in 0..<count {
                a[i] += b[i]
                b[i] = a[i]
            }
        case (let (a, count)?, nil):
            let other = try swap(a, count, with: plan.table.shape.rank(of: tie.copy.stage))
            for i in 0..<count { a[i] += other.base[i] }
        case (nil, let (b, count)?):
            let other = try swap(b, count, with: plan.table.shape.rank(of: tie.original.stage))
            for i in 0..<count { b[i] = other.base[i] + b[i] }
        case (nil, nil): break
        }
    }

    /// Sends `count` floats to a rank of this replica and receives as many from it.
    /// The buffer is kept for the next step.
    private func swap(_ values: UnsafeMutablePointer<Float>, _ count: Int, with peer: Int) throws -> FloatBuffer {
        let buffer = tiedBuffers[count] ?? FloatBuffer(count)
        tiedBuffers[count] = buffer
        let world = plan.worldRank(replica: replica, rank: peer)
        let what = "the gradient of a tied tensor of rank \(world)"
        let receive = try endpoint.startReceive(
            into: UnsafeMutableRawBufferPointer(buffer.bytes), from: world, tag: tags.tiedEmbedding)
        let send = try endpoint.startSend(
            UnsafeRawBufferPointer(start: values, count: count * MemoryLayout<Float>.stride), to: world,
            tag: tags.tiedEmbedding)
        try endpoint.wait(receive, for: what)
        try endpoint.wait(send, for: what)
        return buffer
    }
}

extension RankNumbers {
    /// Sum of all token losses, replicas ascending.
    fileprivate func loss(_ plan: PipelinePlan) -> Double {
        let last = plan.table.shape.rank(of: plan.lastStage)
        return (0..<plan.replicas).reduce(0) { $0 + self[plan.worldRank(replica: $1, rank: last), Place.loss] }
    }

    /// The squared norms of all tensors, as the replica given or else each one's owner has them, summed in the model's
    /// order.
    fileprivate func squaredNorm(_ plan: PipelinePlan, replica: Int) -> Double {
        let shape = plan.table.shape
        var total = 0.0
        for stage in 0...plan.lastStage {
            let rank = shape.rank(of: stage)
            // A rank's stages stand in its row one after the other.
            var place = Place.norms
            for other in 0..<stage where shape.rank(of: other) == rank { place += plan.originals(of: other).count }
            for tensor in plan.originals(of: stage) {
                let owner = plan.owners?[stage][tensor] ?? replica
                total += self[plan.worldRank(replica: owner, rank: rank), place]
                place += 1
            }
        }
        return total
    }
}
