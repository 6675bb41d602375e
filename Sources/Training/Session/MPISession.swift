import Files
import Foundation
import Hardware
import MPI
import Pipeline

/// This process' rank of an MPI world, on a thread of its own that is the only one to call MPI.
actor MPISession {
    nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let world: ThreadConfined<MPIWorld>
    /// Signs of life of the thread.
    nonisolated let heartbeat: Heartbeat
    /// Seconds that a rank waits for another until the configuration says something else.
    private let patience: Double

    struct World: Sendable {
        let rank: Int
        let size: Int
    }

    /// Who is pinned where: this rank, and the cores of all ranks.
    struct Placement: Sendable {
        let own: CorePlacement
        let all: [[Int]]
        /// The node of every rank, numbered as they come.
        let nodes: [Int]
    }

    init(heartbeat: Heartbeat, patience: Double) throws {
        self.heartbeat = heartbeat
        self.patience = patience
        executor = try ThreadExecutor(name: "gecko rank", policy: .ownCore)
        world = ThreadConfined(to: executor)
    }

    func start() throws -> World {
        let world = try heartbeat.busy("starts MPI, which waits for all ranks") { try MPIWorld() }
        world.heartbeat = heartbeat
        world.patience = patience
        self.world.value = world
        return World(rank: world.rank, size: world.size)
    }

    private var running: MPIWorld {
        guard let world = world.value else { preconditionFailure("the MPI session hasn't started") }
        return world
    }

    /// An endpoint for an actor on this session's executor.
    nonisolated func endpoint() throws -> MPIEndpoint {
        guard let world = world.value else { preconditionFailure("the MPI session hasn't started") }
        return MPIEndpoint(world)
    }

    /// The root's value; the others bring none.
    func broadcast<Value: WireValue>(_ value: Value?, from root: Int) throws -> Value {
        try heartbeat.busy("is told the configuration") { try running.broadcast(value, from: root) }
    }

    /// All ranks say whether they can go on. If one can't, all throw `AgreedFailure`, and the first that can't carries
    /// its problem.
    func agree(on problem: (any Error)?) throws {
        let failed = try heartbeat.busy("agrees on the start") {
            try running.allGather(problem != nil).firstIndex(of: true)
        }
        guard let failed else { return }
        throw AgreedFailure(ownProblem: failed == running.rank ? problem : nil)
    }

    func place(topology: Topology, threads: Int, patience: Double) throws -> Placement {
        running.patience = patience
        return try heartbeat.busy("shares out the cores") { try place(topology: topology, threads: threads) }
    }

    private func place(topology: Topology, threads: Int) throws -> Placement {
        // A node may have no room for its ranks where others have.
        let found = Result { try CorePlacement.agree(in: running, topology: topology, threads: threads) }
        try agree(on: found.failure)
        let own = try found.get()
        running.isOversubscribed = own.oversubscribed
        let all = try running.allGather(own.cores)
        let hosts = try running.allGather(running.hostName)
        running.hosts = hosts
        let nodes = hosts.map { host in hosts.firstIndex(of: host) ?? 0 }
        return Placement(own: own, all: all, nodes: nodes)
    }

    /// Leaves MPI with all ranks; the process is to end with `status` then.
    func finish(status: Int32) throws {
        try heartbeat.busy("leaves MPI, which waits for all ranks") { try running.finalize(endingWith: status) }
    }

    /// Says what went wrong and ends all ranks; where another rank is lost, each of the others may say so first.
    func abort(after error: any Error) -> Never {
        Console.complain("Error: \(error)")
        guard error.isLostPeer else { running.abort(code: ExitStatus.failure) }
        running.awaitReports()
        running.abort(code: ExitStatus.lostPeer)
    }
}

/// All ranks stop, knowing of each other.
struct AgreedFailure: Error {
    /// The problem, on the rank that tells it.
    let ownProblem: (any Error)?
}
