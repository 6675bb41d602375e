/// What the environment tells about how this process was started, read without touching MPI.
package enum Launcher: Equatable, Sendable {
    /// By hand: a process of its own.
    case none
    /// By mpirun, or by srun with a PMI: one rank of a world.
    case mpi

    /// This process' rank as the launcher counts, before MPI can tell.
    package static func rank(_ environment: [String: String]) -> Int? {
        ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"].lazy.compactMap { environment[$0] }.compactMap { Int($0) }
            .first
    }

    /// - Throws: `MPIError.tasksWithoutMPI` in a Slurm step of several tasks that MPI knows nothing of.
    package static func detect(_ environment: [String: String]) throws -> Launcher {
        // Open MPI's mpirun, PMIx (srun --mpi=pmix and others), PMI-1 and PMI-2 (srun --mpi=pmi2, MPICH's mpiexec).
        let signs = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"]
        if signs.contains(where: { environment[$0] != nil }) { return .mpi }
        // The step's tasks, not the job's: a batch script sees the job's and runs a single process itself.
        if environment["SLURM_PROCID"] != nil, let tasks = environment["SLURM_STEP_NUM_TASKS"].flatMap({ Int($0) }),
            tasks > 1
        {
            throw MPIError.tasksWithoutMPI(tasks: tasks)
        }
        return .none
    }
}
