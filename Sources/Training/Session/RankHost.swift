import Hardware
import Pipeline

/// The ranks of this process on their cores, ready to run one plan after another; in every process of a run at the same
/// time.
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
    /// What to tell of a limit on the processors' time, and whether it is a warning.
    let quotaNote: (text: String, isWarning: Bool)?
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
        let lists = cores.prefix(cores.count > Self.mostListed ? 4 : cores.count).map { CoreList($0).short }
        guard lists.count < cores.count, let last = cores.last else { return lists.joined(separator: " | ") }
        return (lists + ["...", CoreList(last).short]).joined(separator: " | ") + " (\(cores.count) ranks)"
    }

    /// Ranks whose cores are listed one by one.
    private static let mostListed = 8

    /// - Parameters:
    ///   - threads: as configured
    ///   - workers: that came of it, of this process
    ///   - usable: cores that this process may use
    private static func note(
        _ quota: CPUQuota?, threads: Int, workers: Int, usable: Int
    ) -> (text: String, isWarning: Bool)? {
        guard let quota, quota.cores < Double(usable) || workers > quota.threads else { return nil }
        let text = "the processors' time is limited to \(quota.description)"
        guard workers > quota.threads else { return ("quota:  \(text): \(workers) worker(s) for it", false) }
        return (
            text + ", but there are \(workers) workers: they stand still for most of the time. "
                + (threads > 0 ? "Set machine.threads to 0" : "Start fewer ranks") + ", or ask for more cores", true
        )
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
        quotaNote = Self.note(
            placements.first?.quota, threads: threads, workers: placements.reduce(0) { $0 + $1.cores.count },
            usable: topology.usableCores.count)
        let patience = plan.configuration.machine.patience
        watchdog.setPatience(patience)
        let heartbeats = (0..<world).map { Heartbeat(name: "rank \($0)") }
        for heartbeat in heartbeats { watchdog.watch(heartbeat) }
        start = {
            try await RankGroup.inProcess(
                plan: $0, seed: seed, topology: topology, threads: threads, patience: patience, heartbeats: heartbeats)
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
        quotaNote = Self.note(
            placement.own.quota, threads: plan.configuration.machine.threads,
            workers: placement.own.cores.count * placement.own.quotaSharers,
            usable: topology.usableCores.count)
        start = { plan in
            try await RankGroup(
                plan: plan, seed: seed,
                placement: RankGroup.Placement(
                    on: topology, ranks: [world.rank], cores: [placement.own.cores],
                    oversubscribed: [placement.own.oversubscribed], warning: placement.own.warning),
                threads: [RankGroup.RankThread(executor: session.executor, heartbeat: session.heartbeat)],
                patience: patience,
                connection: RankGroup.Connection(endpoint: { _ in try session.endpoint() }, fail: { _, _ in }))
        }
        end = { await $0.release() }
    }
}
