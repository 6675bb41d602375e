import Hardware
import Pipeline

/// The ranks of this process on their cores, ready to run one plan after another; in every process of a run at the same time.
struct RankHost: Sendable {
    /// Where the ranks are, for people: "2 in this process".
    let title: String
    /// Whether world rank 0, which reports, is here.
    let isRoot: Bool
    /// Cores of the workers of every rank of the world.
    let cores: [[Int]]
    /// The node of every rank of the world.
    let nodes: [Int]
    /// World ranks in this process.
    let ranks: [Int]
    /// Set when threads share cores.
    let warning: String?
    private let start: @Sendable (PipelinePlan) async throws -> RankGroup
    private let end: @Sendable (RankGroup) async -> Void

    /// Starts the ranks for a plan, runs the body and lets them go.
    func run<Value>(_ plan: PipelinePlan, _ body: (RankGroup) async throws -> Value) async throws -> Value {
        let group = try await start(plan)
        do {
            let value = try await body(group)
            await end(group)
            return value
        } catch {
            await end(group)
            throw error
        }
    }

    /// Workers of all ranks.
    var workers: Int { cores.joined().count }

    /// The cores by rank, for people: "0 | 1".
    var coreList: String {
        cores.map { $0.map(String.init).joined(separator: ",") }.joined(separator: " | ")
    }

    /// All ranks in this process.
    init(inProcess plan: some RunPlan, watchdog: Watchdog) throws {
        let topology = try Topology()
        let world = plan.pipeline.world
        let threads = plan.configuration.machine.threads
        let seed = UInt64(plan.configuration.training.seed)
        let placements = try CorePlacement.inProcess(ranks: world, topology: topology, threads: threads)
        title = "\(world) in this process"
        isRoot = true
        cores = placements.map(\.cores)
        nodes = [Int](repeating: 0, count: world)
        ranks = Array(0..<world)
        warning = placements.first?.warning
        let patience = plan.configuration.machine.patience
        watchdog.setPatience(patience)
        let pulses = (0..<world).map { Pulse(name: "rank \($0)") }
        for pulse in pulses { watchdog.watch(pulse) }
        start = {
            try await RankGroup.inProcess(
                plan: $0, seed: seed, topology: topology, threads: threads, patience: patience, pulses: pulses)
        }
        end = { await $0.stop() }
    }

    /// This process' rank of an MPI world. All ranks call it.
    init(_ session: MPISession, _ world: MPISession.World, _ plan: some RunPlan, watchdog: Watchdog) async throws {
        let topology = try Topology()
        let patience = plan.configuration.machine.patience
        watchdog.setPatience(patience)
        let placement = try await session.place(
            topology: topology, threads: plan.configuration.machine.threads, patience: patience)
        let seed = UInt64(plan.configuration.training.seed)
        title = "\(world.size) under MPI on \(Set(placement.nodes).count) node(s)"
        isRoot = world.rank == 0
        cores = placement.all
        nodes = placement.nodes
        ranks = [world.rank]
        warning = placement.own.warning
        start = { plan in
            try await RankGroup(
                plan: plan, seed: seed, topology: topology, ranks: [world.rank], cores: [placement.own.cores],
                oversubscribed: [placement.own.oversubscribed], warning: placement.own.warning,
                executors: [session.executor], patience: patience, pulses: [session.pulse],
                connection: RankGroup.Connection(endpoint: { _ in try session.endpoint() }, fail: { _, _ in }))
        }
        end = { await $0.release() }
    }
}
