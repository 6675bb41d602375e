import Glibc

/// What the environment tells about how this process was started, read without touching MPI.
package enum Launcher: Equatable, Sendable {
    /// By hand: a process of its own.
    case none
    /// By mpirun, or by srun with a PMI: one rank of a world.
    case mpi

    /// What launchers tell their ranks: how many they are, and which one this is. PMIx tells no number. Those are first
    /// that are started within others: MPICH's mpiexec may start its helpers by srun with PMIx, whose variables then
    /// reach the ranks, too.
    private static let signs: [(name: String, size: String?, rank: String)] = [
        ("Open MPI's mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),
        ("MVAPICH's mpirun_rsh", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),
        ("a launcher of MPICH's kind (mpiexec, srun --mpi=pmi2)", "PMI_SIZE", "PMI_RANK"),
        ("a launcher that uses PMIx", nil, "PMIX_RANK"),
    ]
    /// The step's tasks, not the job's: a batch script sees the job's and runs a single process itself.
    private static let slurm = (size: "SLURM_STEP_NUM_TASKS", rank: "SLURM_PROCID")

    /// This process' environment, as far as launchers make it.
    package static var environment: [String: String] {
        let names = signs.flatMap { [$0.size, $0.rank].compactMap(\.self) } + [slurm.size, slurm.rank]
        var found: [String: String] = [:]
        for name in names { found[name] = getenv(name).map { String(cString: $0) } }
        return found
    }

    /// This process' rank as the launcher counts, before MPI can tell.
    package static func rank(_ environment: [String: String]) -> Int? {
        signs.lazy.compactMap { number($0.rank, environment) }.first
    }

    /// - Throws: `MPIError.tasksWithoutMPI` in a Slurm step of several tasks that MPI knows nothing of.
    package static func detect(_ environment: [String: String]) throws -> Launcher {
        let isKnown = signs.contains { sign in
            environment[sign.rank] != nil || sign.size.map { environment[$0] != nil } ?? false
        }
        if isKnown { return .mpi }
        if let tasks = tasks(environment), tasks > 1 { throw MPIError.tasksWithoutMPI(tasks: tasks) }
        return .none
    }

    /// A launcher of another MPI than the program's starts its processes, and each of them is a world of its own.
    ///
    /// - Throws: `MPIError.foreignLauncher` when a world of `size` ranks is not what the launcher promised.
    package static func check(_ environment: [String: String], world size: Int) throws {
        let promises = signs.compactMap { sign in
            sign.size.flatMap { number($0, environment) }.map { (name: sign.name, count: $0) }
        }
        // One launcher may run within another: the world is one of theirs, and never alone.
        let isKept = size == 1 ? promises.allSatisfy { $0.count <= 1 } : promises.contains { $0.count == size }
        if !promises.isEmpty, !isKept {
            let broken = promises.first { $0.count > 1 } ?? promises[0]
            throw MPIError.foreignLauncher(broken.name, processes: broken.count, world: size)
        }
        if promises.isEmpty, size == 1, let tasks = tasks(environment), tasks > 1 {
            throw MPIError.foreignLauncher("srun", processes: tasks, world: size)
        }
        // Whoever told no number told this process that others come before it.
        for sign in signs {
            guard let rank = number(sign.rank, environment) else { continue }
            if rank >= size { throw MPIError.foreignLauncher(sign.name, processes: nil, world: size) }
            break
        }
    }

    private static func tasks(_ environment: [String: String]) -> Int? {
        environment[slurm.rank] == nil ? nil : number(slurm.size, environment)
    }

    private static func number(_ name: String, _ environment: [String: String]) -> Int? {
        environment[name].flatMap { Int($0) }
    }
}
