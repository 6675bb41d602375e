import Figures
import JSON

/// A plan for people: the best layouts, and why the others lose.
public struct PlanReport: Sendable {
    private let cluster: Cluster
    private let model: PlannedModel
    private let runs: [PlannedRun]

    /// - Parameter runs: what `Planner.plan` returned
    public init(cluster: Cluster, model: PlannedModel, runs: [PlannedRun]) {
        self.cluster = cluster
        self.model = model
        self.runs = runs
    }

    private var feasible: [PlannedRun] { runs.filter(isFeasible) }

    private func isFeasible(_ run: PlannedRun) -> Bool { run.outcome == .simulated || run.outcome == .estimated }

    /// The layout to take; nil if none fits the memory.
    public var best: PlannedRun? { feasible.first }

    private var tokens: Double { Double(model.step.batch * model.step.sequence) }

    /// Share of all cores' arithmetic speed that the training's products use.
    private func utilisation(_ run: PlannedRun) -> Double {
        let peak = cluster.core.gflops * 1e9 * Double(cluster.nodes * cluster.node.cores)
        return model.trainingFlopsPerToken * tokens / run.stepTime / peak
    }

    /// The best `count` layouts as a table, then the reasons.
    public func text(best count: Int) -> String {
        var text = "\((model.parameters / 1e6).significant) million parameters, \(model.step.batch) sequences of "
        text += "\(model.step.sequence) tokens a step, \(cluster.nodes) nodes of \(cluster.node.cores) cores\n"
        let boundedOut = runs.filter { $0.outcome == .boundedOut }
        let tooLarge = runs.filter { $0.outcome == .tooLarge }
        let tooLong = runs.filter { $0.outcome == .tooLong }
        text += "\(runs.count) layouts: \(feasible.count) simulated, \(boundedOut.count) slower even without bubbles, "
        text += "\(tooLarge.count) too large for the memory\n"
        if !tooLong.isEmpty {
            text +=
                "and \(tooLong.count) left out: their steps have too many actions to be simulated, or no time was left "
                + "for them; settle "
            text += "what is known already (--stages, --slice, ...)\n"
        }
        text += "\n"
        guard let best else { return text + nothingFits(tooLarge) }
        text += table(Array(feasible.prefix(count))) + "\n"
        text += "The best: \(best.candidate.description); layers per stage \(layers(best)).\n"
        let slices = self.slices(best)
        if slices.count > 1 { text += "The same with other slices:\n" + indented(sliceTable(slices, best)) }
        text += "Why others lose:\n"
        for line in comparisons(with: best) { text += "  " + line + "\n" }
        return text
    }

    private func table(_ runs: [PlannedRun]) -> String {
        var table = TextTable(
            [
                "schedule", "stages", "replicas", "threads", "slice", "recompute", "step", "tokens/s", "utilisation",
                "bubble", "sync", "optimizer", "memory a rank",
            ])
        for run in runs {
            let candidate = run.candidate
            let virtual = candidate.virtualStages > 1 ? " x \(candidate.virtualStages)" : ""
            table.add([
                candidate.schedule, "\(candidate.stages)\(virtual)", "\(candidate.replicas)", "\(candidate.threads)",
                "\(candidate.slice)", candidate.recompute ? "yes" : "no",
                (run.outcome == .estimated ? "~" : "") + run.stepTime.asTime, (tokens / run.stepTime).significant,
                utilisation(run).asPercentage, run.bubble.asPercentage, run.syncTime.asTime, run.optimizerTime.asTime,
                Int(saturating: run.memory).asBytes,
            ])
        }
        return table.text
    }

    /// The best layout with every slice length, shortest slices first.
    private func slices(_ best: PlannedRun) -> [PlannedRun] {
        runs.filter { $0.candidate == best.candidate || $0.candidate.differsBySlice(from: best.candidate) }
            .sorted { $0.candidate.slice < $1.candidate.slice }
    }

    private func sliceTable(_ slices: [PlannedRun], _ best: PlannedRun) -> String {
        var table = TextTable(["slice", "units", "step", "to best", "bubble", "memory a rank"])
        for run in slices {
            let units = model.step.batch / run.candidate.replicas * (model.step.sequence / run.candidate.slice)
            let isTooLarge = run.outcome == .tooLarge
            let isKnown = isFeasible(run)
            table.add([
                "\(run.candidate.slice)", "\(units)", isKnown ? run.stepTime.asTime : "-",
                isKnown ? "+" + (run.stepTime / best.stepTime - 1).asPercentage : "-",
                isKnown ? run.bubble.asPercentage : "-",
                isKnown || isTooLarge ? Int(saturating: run.memory).asBytes + (isTooLarge ? " (too large)" : "") : "-",
            ])
        }
        return table.text
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }

    private func layers(_ run: PlannedRun) -> String {
        let counts = run.layers
        guard Set(counts).count > 1 else { return "\(counts[0])" }
        guard counts.count > 64 else { return counts.map(String.init).joined(separator: ",") }
        // Of very many stages neighbours that are alike are told together.
        var groups: [(layers: Int, stages: Int)] = []
        for layers in counts {
            if groups.last?.layers == layers {
                groups[groups.count - 1].stages += 1
            } else {
                groups.append((layers, 1))
            }
        }
        return groups.map { $0.stages == 1 ? "\($0.layers)" : "\($0.layers) in each of \($0.stages)" }
            .joined(separator: ", ")
    }

    private func nothingFits(_ tooLarge: [PlannedRun]) -> String {
        guard let nearest = tooLarge.min(by: { excess($0) < excess($1) }) else {
            return "No layout was simulated: settle a smaller number of --stages, or a longer --slice.\n"
        }
        return
            "No layout fits. The nearest, \(nearest.candidate.description), needs "
            + "\(Int(saturating: nearest.memory).asBytes) on a "
            + "rank that has \(Int(saturating: memory(nearest)).asBytes); use more nodes, a smaller model or shorter "
            + "sequences.\n"
    }

    private func memory(_ run: PlannedRun) -> Double { cluster.node.memory / Double(run.candidate.ranksPerNode) }

    private func excess(_ run: PlannedRun) -> Double { run.memory / memory(run) }

    /// For each thing that could be chosen otherwise, what becomes of the best layout when only that changes.
    private func comparisons(with best: PlannedRun) -> [String] {
        func rest(_ candidate: PlanCandidate, without name: String) -> [String] {
            let all = [
                ("schedule", candidate.schedule + "\(candidate.virtualStages)"), ("stages", "\(candidate.stages)"),
                ("slices", "\(candidate.slice)"), ("recompute", "\(candidate.recompute)"),
                ("threads", "\(candidate.threads)"),
            ]
            return all.filter { $0.0 != name }.map(\.1)
        }
        let keys: [(String, (PlanCandidate) -> String)] = [
            ("schedule", { $0.schedule + ($0.virtualStages > 1 ? " x \($0.virtualStages)" : "") }),
            ("stages", { "\($0.stages) stages" }),
            ("recompute", { $0.recompute ? "with recompute" : "without recompute" }),
            ("threads", { "\($0.threads) threads a rank" }),
        ]
        var lines: [String] = []
        for (name, value) in keys {
            let others = runs.filter {
                rest($0.candidate, without: name) == rest(best.candidate, without: name)
                    && value($0.candidate) != value(best.candidate)
            }
            for other in others { lines.append("\(value(other.candidate)): \(reason(other, best))") }
        }
        return lines
    }

    private func reason(_ run: PlannedRun, _ best: PlannedRun) -> String {
        let slower = "+\((run.stepTime / best.stepTime - 1).asPercentage)"
        switch run.outcome {
        case .tooLong: return "not simulated: its step has too many actions, or no time was left for it"
        case .tooLarge:
            return
                """
                needs \(Int(saturating: run.memory).asBytes) on a rank that has \
                \(Int(saturating: memory(run)).asBytes)
                """
        case .boundedOut:
            return "\(slower) or more, for its arithmetic, sync and optimizer alone"
        case .simulated, .estimated:
            var reasons = ["bubble \(run.bubble.asPercentage) for \(best.bubble.asPercentage)"]
            let closing = (run.syncTime + run.optimizerTime, best.syncTime + best.optimizerTime)
            if abs(closing.0 - closing.1) > 0.01 * best.stepTime {
                reasons.append("sync and optimizer \(closing.0.asTime) for \(closing.1.asTime)")
            }
            if run.candidate.recompute != best.candidate.recompute { reasons.append("recomputed forwards") }
            return "\(slower), " + reasons.joined(separator: ", ")
        }
    }

    /// One JSON object: the best layouts and how many lost for what; times in milliseconds.
    public func json(best count: Int) -> String {
        let list = feasible.prefix(count).map { run in
            JSONText.object([
                ("schedule", .string(run.candidate.schedule)), ("stages", .number(Double(run.candidate.stages))),
                ("virtual_stages", .number(Double(run.candidate.virtualStages))),
                ("replicas", .number(Double(run.candidate.replicas))),
                ("threads", .number(Double(run.candidate.threads))),
                ("ranks_per_node", .number(Double(run.candidate.ranksPerNode))),
                ("slice", .number(Double(run.candidate.slice))), ("recompute", .bool(run.candidate.recompute)),
                ("layers", .numbers(run.layers.map(Double.init))), ("step_time", .number(run.stepTime * 1e3)),
                ("tokens_per_second", .number(tokens / run.stepTime)), ("utilisation", .number(utilisation(run))),
                ("bubble", .number(run.bubble)), ("memory_bytes", .number(run.memory)),
            ])
        }
        let slices = best.map(self.slices) ?? []
        let bySlice = slices.map { run in
            JSONText.object([
                ("slice", .number(Double(run.candidate.slice))),
                ("step_time", isFeasible(run) ? .number(run.stepTime * 1e3) : .null),
                ("memory_bytes", .number(run.memory)),
            ])
        }
        func number(of outcome: PlannedRun.Outcome) -> JSONText {
            .number(Double(runs.filter { $0.outcome == outcome }.count))
        }
        return JSONText.object([
            ("candidates", .number(Double(runs.count))), ("best", .array(Array(list))), ("slices", .array(bySlice)),
            ("bounded_out", number(of: .boundedOut)), ("too_large", number(of: .tooLarge)),
            ("left_out", number(of: .tooLong)),
            ("time_unit", .string("ms")),
        ]).text + "\n"
    }
}
