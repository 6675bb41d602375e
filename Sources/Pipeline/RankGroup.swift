import Hardware
import Model
import Numerics
import Schedules

/// The ranks of a run that live in this process: all of them when it runs alone, one under a launcher.
package final class RankGroup: Sendable {
    package let plan: PipelinePlan
    /// World ranks here, ascending.
    package let ranks: [Int]
    /// Cores that each rank here is pinned to, one per worker.
    package let cores: [[Int]]
    /// Set when threads share cores.
    package let warning: String?
    private let actors: [StageActor]
    private let executors: [ThreadExecutor]

    /// The ranks of this process and where they run; all by rank.
    package struct Placement: Sendable {
        package let topology: Topology
        /// World ranks, ascending.
        package let ranks: [Int]
        /// Cores that each is pinned to, one per worker.
        package let cores: [[Int]]
        package let oversubscribed: [Bool]
        /// Set when threads share cores.
        package let warning: String?

        package init(
            on topology: Topology, ranks: [Int], cores: [[Int]], oversubscribed: [Bool], warning: String?
        ) {
            self.topology = topology
            self.ranks = ranks
            self.cores = cores
            self.oversubscribed = oversubscribed
            self.warning = warning
        }
    }

    /// The thread that a rank runs on, and what tells a watchdog that it does.
    package struct RankThread: Sendable {
        package let executor: ThreadExecutor
        package let heartbeat: Heartbeat

        package init(executor: ThreadExecutor, heartbeat: Heartbeat) {
            self.executor = executor
            self.heartbeat = heartbeat
        }
    }

    /// How a rank here comes by its endpoint, and how the others learn of its failure.
    package struct Connection: Sendable {
        package let endpoint: @Sendable (_ rank: Int) throws -> any Endpoint
        package let fail: @Sendable (_ error: any Error, _ rank: Int) -> Void

        package init(
            endpoint: @escaping @Sendable (_ rank: Int) throws -> any Endpoint,
            fail: @escaping @Sendable (_ error: any Error, _ rank: Int) -> Void
        ) {
            self.endpoint = endpoint
            self.fail = fail
        }
    }

    /// Starts every rank of the plan in this process, over memory.
    ///
    /// - Parameters:
    ///   - threads: workers per rank; 0 shares the usable cores evenly.
    ///   - patience: seconds that a rank waits for another
    ///   - heartbeats: of all ranks, for a watchdog
    package static func inProcess(
        plan: PipelinePlan, seed: UInt64, topology: Topology, threads: Int, patience: Double = 300,
        heartbeats: [Heartbeat]? = nil
    ) async throws -> RankGroup {
        let (assignment, _) = try CorePlacement.assignmentInProcess(
            ranks: plan.world, topology: topology, threads: threads)
        let fabric = InMemoryFabric(size: plan.world, oversubscribed: assignment.oversubscribed.contains(true))
        let threads = try (0..<plan.world).map { rank in
            RankThread(
                executor: try ThreadExecutor(
                    name: "gecko rank \(rank)", policy: assignment.oversubscribed[rank] ? .sharedCore : .ownCore),
                heartbeat: heartbeats?[rank] ?? Heartbeat(name: "rank \(rank)"))
        }
        return try await RankGroup(
            plan: plan, seed: seed,
            placement: Placement(
                on: topology, ranks: Array(0..<plan.world), cores: assignment.cores,
                oversubscribed: assignment.oversubscribed, warning: assignment.warning), threads: threads,
            patience: patience,
            connection: Connection(
                endpoint: { fabric.endpoint($0) }, fail: { fabric.cancel($0, by: $1) }))
    }

    /// Starts the given ranks, each on its thread.
    package init(
        plan: PipelinePlan, seed: UInt64, placement: Placement, threads: [RankThread], patience: Double,
        connection: Connection
    ) async throws {
        self.plan = plan
        ranks = placement.ranks
        cores = placement.cores
        warning = placement.warning
        let (ranks, cores) = (ranks, cores)
        executors = threads.map(\.executor)
        actors = ranks.indices.map { i in
            StageActor(executor: threads[i].executor, heartbeat: threads[i].heartbeat) {
                connection.fail($0, ranks[i])
            }
        }
        _ = try await each { i, actor in
            try await actor.start(plan: plan, seed: seed, patience: patience) {
                try Team(topology: placement.topology, cores: cores[i], oversubscribed: placement.oversubscribed[i])
            } endpoint: {
                try connection.endpoint(ranks[i])
            }
        }
    }

    /// Whether world rank 0, which reports, is here.
    package var isRoot: Bool { ranks.first == 0 }

    /// Runs the same call on every actor here; throws the error that began it, not those of ranks that were stopped
    /// because of it.
    private func each<Value: Sendable>(
        _ call: @escaping @Sendable (Int, StageActor) async throws -> Value
    ) async throws -> [Value] {
        let results = await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
            for (i, actor) in actors.enumerated() {
                group.addTask {
                    do { return (i, .success(try await call(i, actor))) } catch { return (i, .failure(error)) }
                }
            }
            var all: [(Int, Result<Value, any Error>)] = []
            for await result in group { all.append(result) }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
        var errors: [any Error] = []
        var values: [Value] = []
        for result in results {
            switch result {
            case .success(let value): values.append(value)
            case .failure(let error): errors.append(error)
            }
        }
        if let first = errors.first(where: { !$0.isConsequence }) ?? errors.first { throw first }
        return values
    }

    /// Runs the same body with the engine of every rank here, on its thread; by rank.
    ///
    /// - Parameter activity: what the ranks are at, as the end of a sentence
    private func each<Value: Sendable>(
        _ activity: any Activity, _ body: @escaping @Sendable (RankEngine) throws -> Value
    ) async throws -> [Value] {
        try await each { _, actor in try await actor.run(activity, body) }
    }

    /// The same, and gives what the first of them came to. Alone, an actor needs no task of its own.
    func first<Value: Sendable>(
        _ activity: any Activity, _ body: @escaping @Sendable (RankEngine) throws -> Value
    ) async throws -> Value {
        if actors.count == 1 { return try await actors[0].run(activity, body) }
        return try await each(activity, body)[0]
    }

    /// One training step; `batches` by replica. What the ranks' `notes` (by world rank, equally many numbers each) hold
    /// when the gradients are complete travels with the norms and stands in the report, the same on every rank: ranks
    /// can agree at a step's boundary without a collective of their own. `disturbance` is asked for on each rank's
    /// thread at the same moment.
    package func step(
        _ batches: [Batch], number: Int, rule: UpdateRule,
        notes: @escaping @Sendable (_ rank: Int) -> [Double] = { _ in [] },
        disturbance: @escaping @Sendable (_ rank: Int) throws -> Disturbance? = { _ in nil }
    ) async throws -> StepReport {
        try await first(StepActivity.begins(step: Int32(number))) { engine in
            let rank = engine.context.endpoint.rank
            return try engine.step(batches[engine.context.replica], number: number, rule: rule) {
                notes(rank)
            } disturbance: {
                try disturbance(rank)
            }
        }
    }

    /// Everybody's numbers, by world rank, between steps.
    package func exchange(_ notes: @escaping @Sendable (_ rank: Int) -> [Double]) async throws -> [[Double]] {
        try await first("tells the others how it stands between steps") {
            try $0.context.endpoint.allGather(notes($0.context.endpoint.rank))
        }
    }

    /// Sums of token losses; `batches` by replica, equally many sequences each.
    package func evaluate(_ batches: [Batch]) async throws -> EvaluationSums {
        try await first("begins an evaluation") { try $0.evaluate(batches[$0.context.replica]) }
    }

    /// Continues a prompt, until a rank's `isStopped` says so; `emit` sees each token, where world rank 0 lives.
    package func generate(
        prompt: [Int32], count: Int, temperature: Double, seed: UInt64,
        isStopped: @escaping @Sendable () -> Bool = { false },
        emit: @escaping @Sendable (Int32) throws -> Void = { _ in }
    ) async throws -> [Int32] {
        let request = Generator.Request(prompt: prompt, count: count, temperature: temperature, seed: seed)
        return try await first("generates text") { engine in
            try engine.generate(request, isStopped: isStopped) {
                if engine.context.endpoint.rank == 0 { try emit($0) }
            }
        }
    }

    package func beginTrace() async throws { _ = try await each("begins a trace") { try $0.trace.begin() } }

    /// The timeline of all ranks, where world rank 0 lives; nil elsewhere.
    package func endTrace(title: String) async throws -> Timeline? {
        try await first("ends a trace") { try $0.trace.end(title: title) }
    }

    /// Counts from the next step on where the time goes.
    package func beginBreakdown() async throws {
        _ = try await each("begins a breakdown") { $0.context.beginBreakdown() }
    }

    /// Where the time went since, summed over all ranks.
    package func endBreakdown() async throws -> Breakdown {
        try await first("sums up its breakdown") { try $0.context.endBreakdown() }
    }

    /// Gives all tensors, in the model's order, to the sink that `make` builds on world rank 0's thread, and hands back
    /// what `finish` makes of it; nil elsewhere.
    package func collectParameters<Sink: ParameterSink & SendableMetatype, Value: Sendable>(
        into make: @escaping @Sendable () throws -> Sink, finish: @escaping @Sendable (Sink) throws -> Value
    ) async throws -> Value? {
        try await first("collects the parameters") { engine in
            guard engine.context.endpoint.rank == 0 else {
                try engine.parameters.collect(nil)
                return nil
            }
            let sink = try make()
            try engine.parameters.collect(sink)
            return try finish(sink)
        }
    }

    package func setParameters(from source: any ParameterSource & Sendable) async throws {
        _ = try await each("sets its parameters") { try $0.parameters.set(from: source) }
    }

    /// Memory for `capture`, for each rank here; nil where the system refuses it.
    package func makeSnapshots() async throws -> [RankSnapshot?] {
        try await each("makes room for a checkpoint") { $0.state.makeSnapshot() }
    }

    /// Copies the training state of each rank here that has a snapshot, between two steps, and lends the copies to
    /// their readers.
    package func capture(_ snapshots: [RankSnapshot?]) async throws -> [CaptureReport] {
        try await each("copies its state for a checkpoint") { [ranks] engine in
            guard let snapshot = snapshots[of: engine, ranks] else { return CaptureReport(bytes: 0, seconds: 0) }
            return engine.state.capture(snapshot)
        }
    }

    /// Bytes a second of a plain copy of the state, all ranks here at the same time: what `capture` is measured
    /// against.
    package func plainCopyRate(_ snapshots: [RankSnapshot?]) async throws -> Double {
        let reports = try await each("measures the speed of memory") { [ranks] engine in
            guard let snapshot = snapshots[of: engine, ranks] else { return CaptureReport(bytes: 0, seconds: 0) }
            return engine.state.copyPlainly(snapshot)
        }
        let seconds = reports.map(\.seconds).max() ?? 0
        return seconds > 0 ? Double(reports.reduce(0) { $0 + $1.bytes }) / seconds : 0
    }

    /// Starts to send and receive files, by rank; they travel while the ranks train.
    package func startCopies(_ transfers: @escaping @Sendable (_ rank: Int) -> [FileTransfer]) async throws {
        _ = try await each("sends its checkpoint to another node") {
            try $0.copies.start(transfers($0.context.endpoint.rank))
        }
    }

    /// Of each rank here, whether all its files have travelled.
    package func copiesAreComplete() async throws -> [Bool] {
        try await each("looks after the copies of its checkpoint") { try $0.copies.areComplete() }
    }

    /// Returns when all files of the ranks here have travelled.
    package func waitForCopies() async throws {
        _ = try await each("waits for the copies of its checkpoint") { try $0.copies.wait() }
    }

    /// Sets the training state of each rank here.
    ///
    /// - Parameters:
    ///   - makeSource: called on each rank's thread
    ///   - optimizerStep: updates of the parameters so far
    ///   - streams: whether the source holds carried states
    package func restore(
        from makeSource: @escaping @Sendable (_ rank: Int) throws -> any StateSource, optimizerStep: Int, streams: Bool
    ) async throws {
        _ = try await each("loads a checkpoint") {
            try $0.state.restore(
                from: try makeSource($0.context.endpoint.rank), optimizerStep: optimizerStep, streams: streams)
        }
    }

    /// Runs a body for each rank here, at the same time; throws as a step does.
    package func forEachRank(_ body: @escaping @Sendable (_ rank: Int) async throws -> Void) async throws {
        _ = try await each { i, _ in try await body(self.ranks[i]) }
    }

    /// Lets go of workers and memory; the executors stay, for their owner.
    package func release() async { for actor in actors { await actor.stop() } }

    /// Ends all threads of the group.
    package func stop() async {
        await release()
        for executor in executors { executor.stop() }
    }
}

extension [RankSnapshot?] {
    /// A rank's, of those of `ranks`.
    fileprivate subscript(of engine: RankEngine, ranks: [Int]) -> RankSnapshot? {
        ranks.firstIndex(of: engine.context.endpoint.rank).flatMap { self[$0] }
    }
}

extension Error {
    /// Whether this rank was only stopped because another failed.
    fileprivate var isConsequence: Bool {
        if case TransportError.cancelled? = self as? TransportError { return true }
        return (self as? PipelineError)?.isConsequence ?? false
    }
}
