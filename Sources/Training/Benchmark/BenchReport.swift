import Figures
import Hardware
import Model
import Pipeline
import Simulation

/// What a benchmark found.
struct BenchReport {
    /// Tokens/s of one round: ours (median of its steps), and the peer's after it.
    struct Pair {
        let own: Double
        let peer: Double
    }

    let plan: BenchPlan
    let host: RankHost
    /// One core's.
    let limits: MachineLimits
    /// Wall seconds of each step.
    let steps: [Double]
    /// How many of them the breakdown covers: those of the first round.
    let breakdownSteps: Int
    let breakdown: Breakdown
    let pairs: [Pair]
    /// Cores of which other programs had a notable share in the first round, by the rank that told it.
    let taken: [(rank: Int, core: TakenCore)]

    var tokensPerSecond: Double { Double(plan.tokensPerStep) / (steps.median ?? .nan) }
    var best: Double { Double(plan.tokensPerStep) / (steps.min() ?? .nan) }
    /// Model flops a second over the multiply-add peak of all cores in use.
    var utilisation: Double {
        plan.pipeline.trainingFlopsPerToken * tokensPerSecond / (limits.multiplyAdd * Double(host.workers))
    }

    /// The same over the peak of the precision's own products.
    var productUtilisation: Double { utilisation * limits.multiplyAdd / limits.peak(plan.pipeline.model.precision) }

    /// What this kind of work can reach at the most: matrix products, also those inside attention and memory, run in
    /// the model's precision.
    func peak(_ row: Row) -> Double {
        row.isProducts ? limits.peak(plan.pipeline.model.precision) : limits.multiplyAdd
    }

    /// Median over the rounds of ours divided by the peer's.
    var ratio: Double? { pairs.map { $0.own / $0.peer }.median }

    /// One kind of work in all steps.
    struct Row {
        let name: String
        /// Core-seconds a step.
        let seconds: Double
        let share: Double
        let count: WorkCount
        let isProducts: Bool

        var flopRate: Double { count.flops / seconds }
        var byteRate: Double { count.bytes / seconds }

        /// Whether arithmetic or memory would limit the work if the caches kept nothing between two operations.
        func isComputeBound(_ limits: MachineLimits) -> Bool {
            count.flops / limits.multiplyAdd > count.bytes / limits.bandwidth
        }
    }

    /// By kind of work, then what is left.
    var rows: [Row] {
        let times = breakdown.times
        let counts = counts
        func row(
            _ name: String, _ seconds: Double, _ count: WorkCount = WorkCount(), isProducts: Bool = false
        ) -> Row {
            Row(
                name: name, seconds: seconds / Double(breakdownSteps), share: seconds / times.total, count: count,
                isProducts: isProducts)
        }
        return type(of: plan.pipeline.model).workKinds.map {
            row($0.title, times[$0.work], counts[$0.work], isProducts: $0.isProducts)
        } + [row("idle", times.idle), row("rest", times.rest)]
    }

    /// Core-seconds of a part of the step, per step.
    func seconds(_ part: StepPart) -> Double { breakdown.times[total: part] / Double(breakdownSteps) }

    /// Flops and bytes of a step over all ranks.
    private var counts: WorkCounts {
        let p = plan.pipeline
        let tokens = Double(plan.tokensPerStep)
        let operand = p.model.precision == .bf16 ? 2.0 : 4
        var counts = p.work(operand: operand) * tokens
        counts += WorkCounts.update(parameters: p.parameterCount) * Double(p.replicas)
        counts.add(.communication, floats: messageFloats)
        return counts
    }

    /// What crosses between ranks: sent and received once.
    private var messageFloats: Double {
        Double(plan.pipeline.messages.sends.reduce(0) { $0 + $1.count } * plan.pipeline.replicas)
            * Double(plan.pipeline.messageBytes / 4)
    }
}
