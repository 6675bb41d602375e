import Foundation
import Hardware
import MPI
import Pipeline

/// Starts a run in this process or as one rank under a launcher. Every problem is found before any work and told by one rank.
package enum Launch {
    /// Loads the configuration for a world of `ranks` (nil: alone).
    package typealias Loader = @Sendable (_ ranks: Int?) throws -> RunConfiguration

    /// Trains as `load` says. Throws what the user should read, on the rank that should say it; elsewhere `SilentFailure`.
    package static func train(configurationFile: String?, load: @escaping Loader) async throws {
        switch try Launcher.detect(ProcessInfo.processInfo.environment) {
        case .none: try await alone(configurationFile, load)
        case .mpi: try await underLauncher(configurationFile, load)
        }
    }

    private static func alone(_ file: String?, _ load: Loader) async throws {
        let plan = try TrainingPlan(try load(nil))
        let directory = try open(plan, file)
        let topology = try Topology()
        let group = try await RankGroup.inProcess(
            plan: plan.pipeline, seed: UInt64(plan.configuration.training.seed), topology: topology,
            threads: plan.configuration.machine.threads)
        announce(
            plan, directory, ranks: "\(plan.pipeline.world) in this process", cores: group.cores, warning: group.warning)
        do {
            try await Trainer(
                plan: plan, group: group, workers: group.cores.joined().count, directory: directory
            ).run()
        } catch {
            await group.stop()
            throw error
        }
        await group.stop()
    }

    /// Makes the run's directory and leaves the resolved configuration there.
    private static func open(_ plan: TrainingPlan, _ file: String?) throws -> RunDirectory {
        let path = RunDirectory.resolve(plan.configuration.run.directory, configurationFile: file, now: Date())
        let directory = try RunDirectory(creating: path, overwrite: plan.configuration.run.overwrite)
        try write(plan.configuration.toml(), to: directory.configuration)
        return directory
    }

    private static func underLauncher(_ file: String?, _ load: @escaping Loader) async throws {
        let session = try MPISession()
        let world = try await session.start()
        do {
            try await run(session, world, file, load)
        } catch let error as AgreedFailure {
            try await leave(session, telling: error.ownProblem)
        } catch let error as TrainingError {
            // Every rank has come to the same end at the same step.
            try await leave(session, telling: world.rank == 0 ? error : nil)
        } catch {
            // Only this rank knows: the others are told by the launcher.
            await session.abort(after: error)
        }
        try await session.finish()
    }

    /// All ranks fail together, and one of them says why. It does so first: the launcher ends the others as soon as one has left with an
    /// error.
    private static func leave(_ session: MPISession, telling problem: (any Error)?) async throws -> Never {
        if let problem { FileHandle.standardError.write(Data("Error: \(problem)\n".utf8)) }
        try await session.finish()
        throw SilentFailure()
    }

    private static func run(_ session: MPISession, _ world: MPISession.World, _ file: String?, _ load: Loader) async throws {
        let isRoot = world.rank == 0
        // Rank 0 reads and checks; the others get what it resolved, so that all run the same.
        let first = Result { () throws -> (TrainingPlan, RunDirectory)? in
            guard isRoot else { return nil }
            let plan = try TrainingPlan(try load(world.size))
            return (plan, try open(plan, file))
        }
        try await session.agree(on: first.failure)
        let opened = try first.get()
        let text = try await session.broadcast(opened.map { Array($0.0.configuration.toml().utf8) } ?? [], from: 0)
        let second = Result { () throws -> TrainingPlan in
            if let opened { return opened.0 }
            let configuration = try RunConfiguration.parse(
                toml: String(decoding: text, as: UTF8.self), file: "rank 0's configuration")
            return try TrainingPlan(try configuration.validated(world: world.size))
        }
        try await session.agree(on: second.failure)
        let plan = try second.get()
        let topology = try Topology()
        let placement = try await session.place(topology: topology, threads: plan.configuration.machine.threads)
        let group = try await RankGroup(
            plan: plan.pipeline, seed: UInt64(plan.configuration.training.seed), topology: topology, ranks: [world.rank],
            cores: [placement.own.cores], oversubscribed: [placement.own.oversubscribed], warning: placement.own.warning,
            executors: [session.executor],
            connection: RankGroup.Connection(
                endpoint: { _ in try session.endpoint() }, fail: { _, _ in }))
        if let opened {
            announce(
                plan, opened.1, ranks: "\(world.size) under MPI on \(placement.nodes) node(s)", cores: placement.all,
                warning: placement.own.warning)
        }
        try await Trainer(
            plan: plan, group: group, workers: placement.all.joined().count, directory: opened?.1
        ).run()
        await group.release()
    }

    private static func announce(
        _ plan: TrainingPlan, _ directory: RunDirectory, ranks: String, cores: [[Int]], warning: String?
    ) {
        let p = plan.pipeline
        let m = p.model
        let counts = p.partition.counts.map(String.init).joined(separator: "+")
        say(
            """
            gecko: \(m.parameterCount) parameters (\(m.layers) layers, dim \(m.dim), chunk \(m.chunk)), \(plan.corpus.count) tokens from \(plan.corpus.path)
            ranks: \(ranks) = \(p.ranks) stages (layers \(counts)) x \(p.replicas) replicas, \(cores.joined().count) workers on cores \(cores.map { $0.map(String.init).joined(separator: ",") }.joined(separator: " | "))
            step:  \(plan.tokensPerStep) tokens = \(plan.configuration.training.batch) sequences x \(p.slices) slices x \(p.slice), schedule \(p.table.name)\(p.table.usesRecompute ? " with recompute" : ""), into \(directory.path)
            """)
        if let warning { say("warning: \(warning)") }
    }
}

/// This process failed, and what there is to say has been said, here or by another rank.
package struct SilentFailure: Error {}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
