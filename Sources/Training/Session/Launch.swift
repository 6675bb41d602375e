import Checkpoints
import Corpora
import Figures
import Files
import Foundation
import Hardware
import MPI
import Model
import Pipeline
import Simulation

/// Starts a run in this process or as one rank under a launcher. Every problem is found before any work and told by one
/// rank.
package enum Launch {
    /// Loads the configuration for a world of `ranks` (nil: alone).
    package typealias Loader = @Sendable (_ ranks: Int?) throws -> RunConfiguration

    /// Trains as `load` says. Throws what the user should read, on the rank that should say it; elsewhere `SilentExit`.
    ///
    /// - Parameters:
    ///   - resume: go on with what the run's folder holds, whatever `run.overwrite` says
    ///   - patience: seconds that ranks wait for each other before the configuration is known everywhere
    package static func train(
        configurationFile: String?, resume: Bool, patience: Double?, load: @escaping Loader
    ) async throws {
        StopSignals.install()
        try StartUp.watch()
        try Fault.reach(.start, step: 0, rank: Launcher.rank(ProcessInfo.processInfo.environment) ?? 0)
        // Under a launcher the ranks may start at different seconds: world rank 0's clock counts, by the path in
        // `run.directory`.
        let resolving: Loader = { ranks in
            var configuration = try load(ranks)
            let file = configurationFile.flatMap { ConfigurationFile.isStream($0) ? nil : $0 }
            if resume { try RunDirectory.checkName(configuration.run.directory, configurationFile: file) }
            configuration.runPath = RunDirectory.resolve(
                configuration.run.directory, configurationFile: file, now: Date())
            return configuration
        }
        try await run(resolving, patience) { (plan: TrainingPlan) in
            try PreparedRun.open(plan, resume: resume)
        } body: { plan, host, place in
            let path = plan.configuration.runPath
            if place != nil { announce(plan, host, into: path) }
            try await RunEnding.recorded(in: place?.directory) {
                try await host.run(plan.pipeline) { group in
                    try await Trainer(plan: plan, group: group, host: host, place: place, path: path).run()
                }
            }
        }
    }

    /// Measures what `load`'s run costs and writes it to `output`. Throws as `train` does.
    ///
    /// - Parameters:
    ///   - steps: steps that are measured, after one of warm-up
    ///   - cluster: file for a description of these ranks' machine, measured over slices of every length; nil for none
    ///   - overwrite: the files may replace what is something else
    package static func profile(
        steps: Int, output: String, cluster: String? = nil, overwrite: Bool, patience: Double?, load: @escaping Loader
    ) async throws {
        try await run(load, patience) { (_: TrainingPlan) in
            try checkFolder(of: output)
            try OutputFile.check(output, as: .costs, overwrite: overwrite)
            if let cluster {
                try checkFolder(of: cluster)
                try OutputFile.check(cluster, as: .cluster, overwrite: overwrite)
            }
        } body: { plan, host, _ in
            if cluster != nil { try SliceSurvey.check(plan, host) }
            if host.isRoot { announce(plan, host, into: output) }
            let profiler = Profiler(plan: plan, host: host, steps: steps)
            let profiles = (
                profile: try await profiler.run(), survey: cluster == nil ? nil : try await profiler.survey()
            )
            guard let profile = profiles.profile else { return }
            try OutputFile.write(profile.costs.json, to: output, as: .costs, overwrite: overwrite)
            try Console.show(profile.text)
            guard let cluster, let survey = profiles.survey else { return }
            try OutputFile.write(survey.file, to: cluster, as: .cluster, overwrite: overwrite)
            try Console.show(survey.text)
            try Console.show("written to \(cluster): gecko plan \(cluster) and the run's configuration")
        }
    }

    /// Measures how fast `load`'s model trains on random tokens, and tells it. Throws as `train` does.
    package static func bench(_ request: BenchRequest, load: @escaping Loader) async throws {
        try await run(load, nil) { (plan: BenchPlan) in
            try request.check(plan)
        } body: { plan, host, _ in
            let benchmark = Benchmark(plan: plan, host: host, request: request)
            guard let report = try await benchmark.run() else { return }
            if let picture = request.picture {
                try OutputFile.write(
                    BreakdownSVG(report).text, to: picture, as: .picture, overwrite: request.overwrite)
            }
            try Console.show(request.json ? report.json : report.text)
        }
    }

    /// Loads the configuration, lets world rank 0 `prepare` what the run needs of the outside, and runs the body on
    /// every rank; the body gets what was prepared where that happened.
    private static func run<Plan: RunPlan & SendableMetatype, Prepared: Sendable>(
        _ load: @escaping Loader, _ patience: Double?, prepare: @escaping @Sendable (Plan) throws -> Prepared,
        body: @escaping @Sendable (Plan, RankHost, Prepared?) async throws -> Void
    ) async throws {
        try Fault.checkEnvironment()
        let environment = ProcessInfo.processInfo.environment
        let patience = patience ?? RunConfiguration().machine.patience
        switch try Launcher.detect(environment) {
        case .none:
            // Alone, a stuck rank keeps the others from leaving, and so from reporting: the watchdog reports for all.
            let watchdog = try Watchdog(patience: patience, grace: 0, exitCode: ExitStatus.lostPeer)
            let configuration = try load(nil).forThisCPU(say: say)
            let sizes = SizeCheck(configuration)
            try sizes.checkThreads(world: nil)
            try sizes.checkMemory(world: nil)
            let plan = try Plan(configuration)
            let host = try RankHost(inProcess: plan, watchdog: watchdog)
            try MemoryEstimate(plan, host).check()
            // Last: what is refused before has removed nothing.
            let prepared = try prepare(plan)
            do {
                try await body(plan, host, prepared)
            } catch let failure as AgreedFailure {
                throw failure.ownProblem ?? failure
            } catch  where error.isLostPeer {
                Console.complain("Error: \(error)")
                throw SilentExit(status: ExitStatus.lostPeer)
            }
        case .mpi:
            let watchdog = try Watchdog(patience: patience, grace: 15, exitCode: ExitStatus.lostPeer)
            let heartbeat = Heartbeat(name: Launcher.rank(environment).map { "rank \($0)" } ?? "a rank")
            watchdog.watch(heartbeat)
            try await underLauncher(try MPISession(heartbeat: heartbeat, patience: patience)) { session, world in
                let plan: Plan = try await agree(session, world, load)
                let host = try await RankHost(session, world, plan, watchdog: watchdog)
                try await session.agree(on: Result { try MemoryEstimate(plan, host).check() }.failure)
                let prepared = Result { try world.rank == 0 ? prepare(plan) : nil }
                try await session.agree(on: prepared.failure)
                try await body(plan, host, try prepared.get())
            }
        }
    }

    /// A profile's file is written at its end; that it can be is known before.
    static func checkFolder(of file: String) throws {
        let folder = Folder.parent(of: file)
        guard access(folder, W_OK) == 0 else { throw FileError.system("write \(file) into it", folder) }
    }

    private static func underLauncher(
        _ session: MPISession, _ body: (MPISession, MPISession.World) async throws -> Void
    ) async throws {
        let world = try await session.start()
        do {
            try await body(session, world)
        } catch let error as AgreedFailure {
            try await leave(session, telling: error.ownProblem)
        } catch let exit as SilentExit {
            // All ranks have agreed to stop.
            await finish(session, exit.status)
            throw exit
        } catch let error as TrainingError {
            // Every rank has come to the same end at the same step.
            try await leave(session, telling: world.rank == 0 ? error : nil)
        } catch {
            // Only this rank knows: the others are told by the launcher.
            await session.abort(after: error)
        }
        await finish(session, 0)
    }

    /// Leaves MPI with the others, to end with this status.
    private static func finish(_ session: MPISession, _ status: Int32) async {
        do { try await session.finish(status: status) } catch { await session.abort(after: error) }
    }

    /// All ranks fail together, and one of them says why. It does so first: the launcher ends the others as soon as one
    /// has left with an error.
    private static func leave(_ session: MPISession, telling problem: (any Error)?) async throws -> Never {
        if let problem { Console.complain("Error: \(problem)") }
        await finish(session, ExitStatus.failure)
        throw SilentExit(status: ExitStatus.failure)
    }

    /// Rank 0 reads and checks; the others get what it resolved, so that all run the same.
    private static func agree<Plan: RunPlan>(
        _ session: MPISession, _ world: MPISession.World, _ load: Loader
    ) async throws -> Plan {
        let first = Result { () throws -> (plan: Plan, outline: String)? in
            guard world.rank == 0 else { return nil }
            let configuration = try load(world.size).forThisCPU(say: say)
            let sizes = SizeCheck(configuration)
            try sizes.checkThreads(world: world.size)
            try sizes.checkMemory(world: world.size)
            let plan = try Plan(configuration)
            return (plan, try plan.outline())
        }
        try await session.agree(on: first.failure)
        let root = try first.get()
        let text = try await session.broadcast(root?.plan.configuration.toml(), from: 0)
        let outline = try await session.broadcast(root?.outline, from: 0)
        let second = Result { () throws -> Plan in
            if let root { return root.plan }
            let configuration = try RunConfiguration.parse(toml: text, file: "rank 0's configuration")
            let plan = try Plan(try configuration.validated(world: world.size))
            let own = try plan.outline()
            guard own == outline else {
                throw ConfigurationError(
                    "rank \(world.rank) on \(ProcessInfo.processInfo.hostName) finds another text than rank 0: \(own), "
                        + "and there \(outline). "
                        + "Give all nodes the same files under data.path, or a folder that they share")
            }
            return plan
        }
        try await session.agree(on: second.failure)
        return try second.get()
    }

    private static func announce(_ plan: TrainingPlan, _ host: RankHost, into path: String) {
        let p = plan.pipeline
        let counts = Runs(p.partition.counts).text
        let memory = MemoryEstimate(plan, host)
        say(
            """
            \(Program.line)
            \(type(of: p.model).name): \(p.parameterCount) parameters (\(p.model.summary)), \(plan.corpus.count) \
            tokens from \(plan.corpus.path)
            ranks: \(host.title) = \(p.ranks) stages (layers \(counts)) x \(p.replicas) replicas, \(host.workers) \
            workers on cores \(host.coreList)
            step:  \(plan.tokensPerStep) tokens = \(plan.configuration.training.batch) sequences x \(p.slices) slices \
            x \(p.slice), schedule \(p.table.name)\(p.table.usesRecompute ? " with recompute" : ""), into \(path)
            cpu:   \(p.model.precision.rawValue) products by \(p.matrices.description)
            \(describe(plan.corpus))
            \(memory.text)
            """)
        if let doubt = plan.corpus.doubt { warn(doubt) }
        if let note = host.quotaNote { say(note.isWarning ? "warning: \(note.text)" : note.text) }
        if let warning = host.warning { warn("\(warning)") }
        for note in plan.configuration.notes { say("note: \(note)") }
        let folder = RunDirectory(path)
        guard folder.holdsRun else { return }
        do { try SmallFile.write(memory.details, to: folder.memory) } catch { warn("\(error)") }
    }

    /// The text, and what is to be known of it.
    private static func describe(_ corpus: Corpus) -> String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        var parts = [count(corpus.fileCount, "file")]
        if corpus.packed {
            parts.append(count(corpus.documents, "document"))
            parts.append("longest \(corpus.longestDocument.asBytes)")
        }
        var text = "text:  " + parts.joined(separator: ", ") + "; \(corpus.size.asBytes) in all"
        if let leftOut = corpus.leftOut { text += "\ntext:  left out: \(leftOut)" }
        if let repetition = corpus.repetition { text += "\ntext:  \(repetition)" }
        return text
    }
}

extension Result {
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
