import Numerics
import Pipeline
import Schedules
import Simulation

/// Measures what a run's actions, messages and ends of steps cost, without leaving anything behind: a few real steps of
/// the run's own table, and of variants of it for the kinds of action that it lacks.
struct Profiler {
    let plan: TrainingPlan
    let host: RankHost
    /// Steps that count, after one of warm-up.
    let steps: Int

    /// The profile, where world rank 0 lives; nil elsewhere.
    func run() async throws -> Profile? {
        var measurement: CostMeasurement?
        for table in try tables() {
            guard let next = try await measure(table) else { continue }
            if measurement == nil { measurement = next } else { measurement?.fill(from: next) }
        }
        guard let measurement else { return nil }
        return try Profile(measurement: measurement, plan: plan.pipeline, host: host)
    }

    /// Steps of the run's own schedule with slices of each length, where world rank 0 lives; nil elsewhere.
    func survey() async throws -> SliceSurvey? {
        var measurements: [(PipelinePlan, CostMeasurement)] = []
        for slice in PlannedModel(plan.configuration).sliceLengths {
            var configuration = plan.configuration
            configuration.pipeline.slice = slice
            let pipeline = try PipelinePlan(configuration)
            if let measurement = try await measure(pipeline) { measurements.append((pipeline, measurement)) }
        }
        return measurements.isEmpty ? nil : try SliceSurvey(measurements, plan: plan, host: host)
    }

    /// The run's own table, then what shows the kinds of action that it has not at every stage.
    private func tables() throws -> [ScheduleTable] {
        let own = plan.pipeline.table
        let stages = own.shape.stages
        func lacks(_ kind: ActionKind) -> Bool {
            Set(own.rows.joined().lazy.filter { $0.kind == kind }.map(\.stage)).count < stages
        }
        var tables = [own]
        if lacks(.backwardInput) || lacks(.backwardWeight) { tables.append(own.splittingWeightGradients()) }
        if lacks(.backward) { tables.append(own.mergingWeightGradients()) }
        if lacks(.recompute) { tables.append(own.withRecompute()) }
        return tables
    }

    private func measure(_ table: ScheduleTable) async throws -> CostMeasurement? {
        let own = plan.pipeline
        let pipeline = try PipelinePlan(
            model: own.model, table: table, partition: own.partition, cut: own.cut, replicas: own.replicas,
            streams: own.streams, streamContext: own.streamContext, shardsOptimizer: own.owners != nil)
        return try await measure(pipeline)
    }

    private func measure(_ pipeline: PipelinePlan) async throws -> CostMeasurement? {
        let timeline = try await host.run(pipeline) { try await trace($0) }
        return try timeline.map { try CostMeasurement($0, of: pipeline, on: host) }
    }

    /// One step of warm-up, then the steps that count.
    private func trace(_ group: RankGroup) async throws -> Timeline? {
        let batches = BatchMaker(plan: plan)
        let rates = LearningRate(plan.configuration)
        let optimizer = plan.configuration.optimizer
        for step in 0...steps {
            if step == 1 { try await group.beginTrace() }
            let report = try await group.step(
                try batches.training(step: step), number: step,
                rule: UpdateRule(adam: AdamW(optimizer), rate: rates.rate(step: step), clip: optimizer.clip))
            guard report.hasTargets else {
                throw TrainingError(
                    "step \(step + 1) has no targets, so it has no update to measure: its sequences are parts of "
                        + "documents of one byte. Raise data.sequence or training.batch")
            }
            guard !report.skipped else {
                throw TrainingError(
                    "step \(step + 1): loss \(report.loss), gradient norm \(report.gradientNorm): not finite, so the "
                        + "step has no update to "
                        + "measure. Lower optimizer.learning_rate, lengthen optimizer.warmup, or set optimizer.clip")
            }
        }
        return try await group.endTrace(title: "profile of \(group.plan.table.name)")
    }
}
