import Figures
import Pipeline
import Schedules
import Simulation

/// What a profile found: the costs, and how well they predict the very steps they come from.
struct Profile {
    let costs: CostFile
    private let measurement: CostMeasurement
    private let predicted: Simulation
    private let plan: PipelinePlan
    private let host: RankHost

    init(measurement: CostMeasurement, plan: PipelinePlan, host: RankHost) throws {
        self.measurement = measurement
        self.plan = plan
        self.host = host
        costs = try measurement.file(of: plan, on: host)
        predicted = try Simulation(
            plan.table, costs: costs.costs(for: plan.table.shape),
            network: Network(uniform: costs.link ?? Link(latency: 0)))
    }

    var text: String {
        var table = TextTable([
            "stage", "rank", "forward", "backward", "input", "weight", "recompute", "a unit", "resident",
        ])
        for (stage, costs) in costs.stages.enumerated() {
            table.add(
                ["\(stage)", "\(plan.table.shape.rank(of: stage))"]
                    + [.forward, .backward, .backwardInput, .backwardWeight, .recompute].map { (kind: ActionKind) in
                        costs.duration(kind).asTime
                    } + [costs.weightUnitBytes.asBytes, costs.residentBytes.asBytes])
        }
        var text = "\n" + table.text + "\n"
        if plan.ranks > 1 {
            text += "messages: \(plan.messageBytes.asBytes), "
            text +=
                measurement.transfer.map {
                    "under way for \($0.asTime) (median of \(measurement.transfers) that a rank waited for)\n"
                } ?? "none that a rank waited for: they count as immediate\n"
        }
        let error = predicted.makespan / measurement.stepTime - 1
        text += "step:     \(measurement.stepTime.asTime) (median of \(measurement.steps), "
        text +=
            "\(measurement.stepRange.lowerBound.asTime) to \(measurement.stepRange.upperBound.asTime)), "
        text += "of it \(measurement.rest.asTime) beside the table; "
        text += "predicted \(predicted.makespan.asTime) (\(error < 0 ? "" : "+")\(error.asPercentage))\n"
        text += "ranks:    \(host.title), cores \(host.coreList)"
        for group in costs.sharedCores {
            text += "; ranks \(group.ranks.map(String.init).joined(separator: ", ")) share "
            text += "\(group.cores.significant) core(s), actions count by processor time"
        }
        if let disturbance = measurement.disturbance, disturbance > 0.03 {
            text += "\nwarning:  actions took \(disturbance.asPercentage) longer than they had a core: "
            text += "other programs use these cores, measure again when they are quiet"
        }
        return text
    }
}
