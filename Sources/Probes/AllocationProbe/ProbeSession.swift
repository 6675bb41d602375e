import Hardware
import MPI
import Pipeline

/// This process' rank of an MPI world, on a thread of its own.
actor ProbeSession {
    nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let world: ThreadConfined<MPIWorld>

    init() throws {
        executor = try ThreadExecutor(name: "probe rank")
        world = ThreadConfined(to: executor)
    }

    func start(_ plan: PipelinePlan, threads: Int) async throws -> RankGroup {
        let world = try MPIWorld()
        world.isOversubscribed = true
        self.world.value = world
        let topology = try Topology()
        let cores = (0..<threads).map { topology.usableCores[$0 % topology.usableCores.count] }
        return try await RankGroup(
            plan: plan, seed: 1,
            placement: RankGroup.Placement(
                on: topology, ranks: [world.rank], cores: [cores], oversubscribed: [true], warning: nil),
            threads: [RankGroup.RankThread(executor: executor, heartbeat: Heartbeat(name: "rank \(world.rank)"))],
            patience: 60,
            connection: RankGroup.Connection(endpoint: { _ in try self.endpoint() }, fail: { _, _ in }))
    }

    private nonisolated func endpoint() throws -> MPIEndpoint {
        guard let world = world.value else { fatalError("the session hasn't started") }
        return MPIEndpoint(world)
    }

    func finish() throws { try world.value?.finalize(endingWith: 0) }
}
