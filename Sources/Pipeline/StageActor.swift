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
    private let heartbeat: Heartbeat
    private let fail: @Sendable (any Error) -> Void

    /// - Parameters:
    ///   - heartbeat: gets the rank's signs of life
    ///   - fail: told of every error before it is thrown, so that the other ranks can be stopped.
    package init(
        executor: ThreadExecutor, heartbeat: Heartbeat, fail: @escaping @Sendable (any Error) -> Void = { _ in }
    ) {
        self.executor = executor
        self.heartbeat = heartbeat
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
            endpoint.heartbeat = heartbeat
            engine = try RankEngine(plan: plan, endpoint: endpoint, team: team, heartbeat: heartbeat, seed: seed)
        }
    }

    /// Runs a body with the rank's engine, on the actor's thread. What it throws is told to `fail` first.
    ///
    /// - Parameter activity: what this rank is at, as the end of a sentence
    func run<Value: Sendable>(
        _ activity: any Activity, _ body: @Sendable (RankEngine) throws -> Value
    ) throws -> Value {
        guard let engine else { preconditionFailure("a stage actor is started before it runs") }
        return try guarded(activity) { try body(engine) }
    }

    /// Ends the rank's workers and lets its memory go. The executor is stopped by its owner.
    package func stop() {
        engine = nil
        team?.stop()
        team = nil
    }

    private func guarded<Value>(_ activity: any Activity, _ body: () throws -> Value) throws -> Value {
        do {
            return try heartbeat.busy(activity, body)
        } catch {
            fail(error)
            throw error
        }
    }
}
