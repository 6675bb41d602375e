import Hardware
import Model
import Numerics
import Schedules

/// One rank of the pipeline: an actor on a pinned thread of its own, on which its stages compute, its messages move and
/// its gradients are synced.
///
/// Awaiting happens at the edges only; within a step the thread runs its row of the table without suspending.
package actor StageActor {
    private let executor: ThreadExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var engine: RankEngine?
    private var team: Team?
    private let pulse: Pulse
    private let fail: @Sendable (any Error) -> Void

    /// - Parameters:
    ///   - pulse: gets the rank's signs of life
    ///   - fail: told of every error before it is thrown, so that the other ranks can be stopped.
    package init(executor: ThreadExecutor, pulse: Pulse, fail: @escaping @Sendable (any Error) -> Void = { _ in }) {
        self.executor = executor
        self.pulse = pulse
        self.fail = fail
    }

    /// Builds the rank's team, transport and stages, on the actor's thread.
    package func start(
        plan: PipelinePlan, seed: UInt64, patience: Double, team makeTeam: @Sendable () throws -> Team,
        endpoint makeEndpoint: @Sendable () throws -> any Endpoint
    ) throws {
        try guarded("sets up its stages") {
            let team = try makeTeam()
            self.team = team
            let endpoint = try makeEndpoint()
            endpoint.patience = patience
            endpoint.pulse = pulse
            engine = try RankEngine(plan: plan, endpoint: endpoint, team: team, pulse: pulse, seed: seed)
        }
    }

    /// One training step; `number` counts from 0. `notes` are told to all ranks and stand in the report.
    package func step(
        _ batch: Batch, number: Int, rule: UpdateRule, notes: @Sendable () -> [Double] = { [] },
        disturbance: @Sendable () throws -> Disturbance? = { nil }
    ) throws -> StepReport {
        try guarded(StepActivity.begins(step: Int32(number))) {
            try running.step(batch, number: number, rule: rule, notes: notes, disturbance: disturbance)
        }
    }

    /// Everybody's numbers, by world rank. All ranks call it.
    package func exchange(_ notes: [Double]) throws -> [[Double]] {
        try guarded("tells the others how it stands between steps") { try running.endpoint.allGather(notes) }
    }

    /// Sum of token losses over all replicas' sequences, in nats.
    package func evaluate(_ batch: Batch) throws -> Double {
        try guarded("begins an evaluation") { try running.evaluate(batch) }
    }

    /// Continues a prompt; `emit` is called with each token as it is chosen.
    package func generate(
        prompt: [Int32], count: Int, temperature: Double, seed: UInt64,
        isStopped: @Sendable () -> Bool, emit: @Sendable (Int32) throws -> Void = { _ in }
    ) throws -> [Int32] {
        try guarded("generates text") {
            let engine = running
            let generator = engine.generator ?? Generator(engine, length: min(128, engine.plan.slice))
            engine.generator = generator
            return try generator.run(
                Generator.Request(prompt: prompt, count: count, temperature: temperature, seed: seed),
                isStopped: isStopped, emit: emit)
        }
    }

    package func beginTrace() throws { try guarded("begins a trace") { try running.beginTrace() } }
    package func endTrace(title: String) throws -> Timeline? {
        try guarded("ends a trace") { try running.endTrace(title: title) }
    }

    package func beginBreakdown() { running.beginBreakdown() }
    package func endBreakdown() throws -> Breakdown {
        try guarded("sums up its breakdown") { try running.endBreakdown() }
    }

    /// Gives all tensors, in the model's order, to the sink that `make` builds on world rank 0's thread, and hands back
    /// what `finish` makes of it.
    package func collectParameters<Sink: ParameterSink & SendableMetatype, Result: Sendable>(
        into make: @Sendable () throws -> Sink, finish: @Sendable (Sink) throws -> Result
    ) throws -> Result? {
        try guarded("collects the parameters") {
            guard running.endpoint.rank == 0 else {
                try running.collectParameters(nil)
                return nil
            }
            let sink = try make()
            try running.collectParameters(sink)
            return try finish(sink)
        }
    }

    package func setParameters(from source: any ParameterSource & Sendable) throws {
        try guarded("sets its parameters") { try running.setParameters(from: source) }
    }

    /// Memory for `capture`; nil when the system refuses it.
    package func makeSnapshot() throws -> RankSnapshot? {
        try guarded("makes room for a checkpoint") { running.makeSnapshot() }
    }

    /// Copies the rank's training state, between two steps, and lends the copy to its reader.
    package func capture(_ snapshot: RankSnapshot) throws -> CaptureReport {
        try guarded("copies its state for a checkpoint") { running.capture(snapshot) }
    }

    /// Copies the state as `capture` does, by one memcpy a worker and store.
    package func copyPlainly(_ snapshot: RankSnapshot) throws -> CaptureReport {
        try guarded("measures the speed of memory") { running.copyPlainly(snapshot) }
    }

    package func startCopies(_ transfers: [FileTransfer]) throws {
        try guarded("sends its checkpoint to another node") { try running.startCopies(transfers) }
    }
    package func copiesAreComplete() throws -> Bool {
        try guarded("looks after the copies of its checkpoint") { try running.copiesAreComplete() }
    }
    package func waitForCopies() throws {
        try guarded("waits for the copies of its checkpoint") { try running.waitForCopies() }
    }

    /// Sets the rank's training state.
    package func restore(
        from makeSource: @Sendable (_ rank: Int) throws -> any StateSource, optimizerStep: Int, streams: Bool
    ) throws {
        try guarded("loads a checkpoint") {
            let engine = running
            try engine.restore(
                from: try makeSource(engine.endpoint.rank), optimizerStep: optimizerStep, streams: streams)
        }
    }

    /// Ends the rank's workers and lets its memory go. The executor is stopped by its owner.
    package func stop() {
        engine = nil
        team?.stop()
        team = nil
    }

    private var running: RankEngine {
        guard let engine else { preconditionFailure("a stage actor is started before it runs") }
        return engine
    }

    /// `activity`: what this rank is at, as the end of a sentence.
    private func guarded<Value>(_ activity: any Activity, _ body: () throws -> Value) throws -> Value {
        do {
            return try pulse.busy(activity, body)
        } catch {
            fail(error)
            throw error
        }
    }
}
