import Figures
import Foundation
import Hardware
import Simulation

extension BenchReport {
    /// What is about to be measured.
    static func title(_ plan: BenchPlan, _ host: RankHost) -> String {
        let p = plan.pipeline
        return """
            \(Program.line)
            model: \(p.parameterCount) parameters (\(p.model.sizes))
            step:  \(plan.tokensPerStep) random tokens = \(plan.configuration.training.batch) sequences x \(p.slices) \
            slices x \(p.slice), schedule \(p.table.name), \(p.model.precision.rawValue)
            cpu:   products by \(p.matrices.description)
            ranks: \(host.title) = \(p.ranks) stages x \(p.replicas) replicas, \(host.workers) workers on cores \
            \(host.coreList)
            """
    }

    var text: String {
        var text = "\n" + table + "\n"
        for part in StepPart.allCases where seconds(part) > 0 {
            text += "\(part): \(seconds(part).asTime) (\((seconds(part) / total).asPercentage))  "
        }
        text += "core time a step\n"
        text +=
            "limits of a core: \(gigas(limits.multiplyAdd)) GFLOP/s (f32 multiply-add), "
        if let peak = limits.bfloat16 { text += "\(gigas(peak)) (bf16 tile), " }
        text += "\(gigas(limits.bandwidth)) GB/s (memory)\n"
        text += "peak memory: \(breakdown.peakBytes.asBytes)\n"
        for (rank, core) in taken {
            text += "warning: \(plan.pipeline.world > 1 ? "rank \(rank): " : "")\(core.description)\n"
        }
        text += "\(Self.rate(tokensPerSecond)) tokens/s (median of \(steps.count) steps, best \(Self.rate(best))), "
        text +=
            "utilisation \(utilisation.asPercentage) of \(gigas(limits.multiplyAdd)) GFLOP/s x \(host.workers)"
        if plan.pipeline.model.precision == .bf16 {
            text += ", \(productUtilisation.asPercentage) of the bf16 peak"
        }
        if let ratio {
            let (own, peer) = (pairs.map(\.own).median ?? 0, pairs.map(\.peer).median ?? 0)
            text += "\nagainst the peer: \(Self.rate(own)) : \(Self.rate(peer)) tokens/s, "
            text += "ratio \(String(format: "%.3f", ratio)) (medians of \(pairs.count) pairs)"
        }
        return text
    }

    /// Core-seconds of a step.
    private var total: Double { breakdown.times.total / Double(breakdownSteps) }

    private var table: String {
        var table = TextTable(["work", "time", "share", "GFLOP/s", "of peak", "GB/s", "flops/byte", "bound by"])
        for row in rows {
            var cells = [row.name, row.seconds.asTime, row.share.asPercentage]
            if row.count.bytes > 0, row.seconds > 0 {
                cells +=
                    row.count.flops > 0 ? [gigas(row.flopRate), (row.flopRate / peak(row)).asPercentage] : ["", ""]
                cells += [gigas(row.byteRate), String(format: "%.1f", row.count.flops / row.count.bytes)]
                cells.append(row.isComputeBound(limits) ? "compute" : "memory")
            }
            table.add(cells)
        }
        table.add(["all", total.asTime, "100.0%"])
        return table.text
    }

    /// Giga-somethings a second.
    static func gigas(_ rate: Double) -> String { String(format: "%.1f", rate / 1e9) }
    private func gigas(_ rate: Double) -> String { Self.gigas(rate) }
    /// Tokens/s as people read them.
    static func rate(_ value: Double) -> String { String(format: value < 100 ? "%.1f" : "%.0f", value) }
}
