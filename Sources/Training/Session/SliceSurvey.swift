import Figures
import Foundation
import Pipeline
import Schedules
import Simulation

/// What steps take with slices of every length on these ranks, and the description of a cluster that follows from it.
struct SliceSurvey {
    /// One slice length: what was measured, and what the planner makes of the fitted description.
    struct Row {
        let slice: Int
        let units: Int
        let measured: Double
        let range: ClosedRange<Double>
        let planned: Double
    }

    let rows: [Row]
    let fit: ClusterFit
    let cluster: Cluster
    private let host: RankHost
    private let table: String

    /// - Parameter measurements: by slice length, each of the same stages
    init(_ measurements: [(plan: PipelinePlan, measurement: CostMeasurement)], plan: TrainingPlan, host: RankHost)
        throws
    {
        let model = PlannedModel(plan.configuration)
        var samples: [ClusterFit.Sample] = []
        var messages: [(bytes: Int, time: Double)] = []
        for (pipeline, measurement) in measurements {
            for (stage, times) in measurement.times.enumerated() {
                guard let forward = times[.forward], let backward = times[.backward] ?? Self.halves(times) else {
                    throw SimulationError("no forward and backward of stage \(stage) was measured")
                }
                samples.append(
                    ClusterFit.Sample(
                        flopsPerToken: pipeline.meanForwardFlops(of: stage),
                        layers: pipeline.partition.counts[stage],
                        slice: pipeline.slice, time: forward + backward))
            }
            if let transfer = measurement.transfer { messages.append((pipeline.messageBytes, transfer)) }
        }
        fit = try ClusterFit(samples)
        let pipeline = measurements[0].plan
        table = pipeline.table.name
        cluster = try Self.cluster(
            fit, pipeline, model, rest: measurements.map(\.measurement.rest).median ?? 0, messages: messages, host: host
        )
        self.host = host
        let planner = Planner(cluster: cluster, model: model)
        let ranksPerNode = pipeline.ranks / cluster.nodes
        rows = try measurements.map { pipeline, measurement in
            let candidate = PlanCandidate(
                ranksPerNode: ranksPerNode, threads: host.cores[0].count, stages: pipeline.ranks,
                virtualStages: pipeline.table.shape.virtualStages, replicas: 1, slice: pipeline.slice,
                schedule: pipeline.table.name, recompute: pipeline.table.usesRecompute)
            return Row(
                slice: pipeline.slice, units: pipeline.table.shape.units, measured: measurement.stepTime,
                range: measurement.stepRange, planned: try planner.run(candidate)?.stepTime ?? .nan)
        }
    }

    private static func halves(_ times: [ActionKind: Double]) -> Double? {
        guard let input = times[.backwardInput], let weight = times[.backwardWeight] else { return nil }
        return input + weight
    }

    private static func cluster(
        _ fit: ClusterFit, _ pipeline: PipelinePlan, _ model: PlannedModel, rest: Double,
        messages: [(bytes: Int, time: Double)], host: RankHost
    ) throws -> Cluster {
        let nodes = Set(host.nodes).count
        let ranksPerNode = pipeline.ranks / nodes
        let threads = host.cores[0].count
        let serialShare = 0.01
        let link = Link(messages) ?? Link(latency: 1e-6, bandwidth: 5e9)
        // What the planner takes the end of a step for: AdamW's 28 bytes a parameter, all ranks of a node at once.
        let parameters = (0..<pipeline.ranks).map { rank in
            pipeline.table.shape.stages(on: rank).reduce(0) { sum, stage in
                sum + pipeline.blocks(of: stage).flatMap(\.parameters).reduce(0) { $0 + $1.count }
            }
        }
        let traffic = 28 * Double(parameters.max() ?? 0) * Double(ranksPerNode)
        return try Cluster(
            nodes: nodes,
            node: .init(
                cores: ranksPerNode * threads, memory: Double(ProcessInfo.processInfo.physicalMemory),
                memoryBandwidth: rest > 0 ? traffic / rest : 100e9),
            core: .init(
                gflops: fit.speed / 1e9 * (1 + serialShare * Double(threads - 1)) / Double(threads),
                serialShare: serialShare, overhead: fit.overhead), network: link,
            local: nodes > 1 ? Link(latency: 1e-6, bandwidth: 5e9) : link)
    }

    /// Refuses what the planner has no words for.
    static func check(_ plan: TrainingPlan, _ host: RankHost) throws {
        let configuration = plan.configuration.pipeline
        guard Planner.schedules.contains(configuration.schedule) else {
            throw TrainingError(
                "a cluster is measured with one of the planner's schedules "
                    + "(\(Planner.schedules.joined(separator: ", "))), "
                    + "not with '\(configuration.schedule)': set pipeline.schedule")
        }
        guard configuration.replicas == 1 else {
            throw TrainingError(
                "a cluster is measured with one replica: set pipeline.replicas to 1 and start fewer ranks")
        }
        guard host.sharedCores(plan.pipeline).isEmpty else {
            throw TrainingError(
                "ranks share cores here, so no core's speed can be measured: start fewer ranks or threads")
        }
        let counts = Dictionary(grouping: host.nodes) { $0 }.values.map(\.count)
        guard Set(counts).count == 1, Set(host.cores.map(\.count)).count == 1 else {
            throw TrainingError("a cluster has equally many ranks on each node and equally many threads a rank")
        }
    }

    var file: String {
        ClusterFile.text(
            cluster,
            note: "measured with \(table) on ranks: \(host.title), cores \(host.coreList); slices of "
                + rows.map { "\($0.slice)" }.joined(separator: ", "),
            isNetworkMeasured: cluster.nodes > 1)
    }

    /// The measured and the planned step over the slice length.
    var text: String {
        var table = TextTable(["slice", "units", "measured", "from", "to", "planned", "error"])
        for row in rows {
            let error = row.planned / row.measured - 1
            table.add([
                "\(row.slice)", "\(row.units)", row.measured.asTime, row.range.lowerBound.asTime,
                row.range.upperBound.asTime, row.planned.asTime,
                (error < 0 ? "" : "+") + error.asPercentage,
            ])
        }
        var text =
            "\nSteps of \(self.table) by slice length (medians), and what gecko plan makes of them:\n" + table.text
        text +=
            "\(cluster.core.gflops.significant) GFLOP/s a core, \(cluster.core.overhead.asTime) overhead "
            + "a layer and action (stages fit within \(fit.largestError.asPercentage))\n"
        if let best = rows.min(by: { $0.measured < $1.measured }),
            let choice = rows.min(by: { $0.planned < $1.planned })
        {
            text +=
                "shortest measured: slices of \(best.slice); the plan's choice: slices of \(choice.slice), measured "
            text += "+\((choice.measured / best.measured - 1).asPercentage) above it"
        }
        return text
    }
}
