import MPI
import Testing

@Suite struct LauncherTests {
    @Test(arguments: ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"])
    func aLaunchersVariableMeansMPI(variable: String) throws {
        #expect(try Launcher.detect([variable: "1", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2"]) == .mpi)
    }

    @Test func theLauncherTellsTheRank() {
        #expect(Launcher.rank(["OMPI_COMM_WORLD_RANK": "3", "PMIX_RANK": "5"]) == 3)
        #expect(Launcher.rank(["PMIX_RANK": "5"]) == 5)
        #expect(Launcher.rank(["SLURM_PROCID": "5"]) == nil)
    }

    @Test func withoutALauncherTheProcessIsAlone() throws {
        #expect(try Launcher.detect([:]) == .none)
        #expect(try Launcher.detect(["PATH": "/bin"]) == .none)
    }

    @Test func aBatchScriptMayRunAProcessAlone() throws {
        #expect(try Launcher.detect(["SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == .none)
        #expect(try Launcher.detect(["SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "1"]) == .none)
    }

    @Test func tasksOfAStepWithoutMPIAreRefused() throws {
        let error = #expect(throws: MPIError.tasksWithoutMPI(tasks: 4)) {
            try Launcher.detect(["SLURM_PROCID": "2", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "4"])
        }
        #expect(try #require(error).description.contains("srun --mpi=\(MPILibrary.current.slurmPlugin)"))
    }

    /// The launcher's own variables say most; PMI's are those of MPICH's mpiexec, whose helpers srun may have started
    /// with PMIx.
    @Test func theNearestLaunchersRankCounts() {
        #expect(Launcher.rank(["PMI_RANK": "3", "PMIX_RANK": "1"]) == 3)
        #expect(Launcher.rank(["MV2_COMM_WORLD_RANK": "2", "PMI_RANK": "0"]) == 2)
    }

    @Test(arguments: [
        [:], ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"], ["PMI_SIZE": "4", "PMI_RANK": "3"],
        // mpirun in an allocation of Slurm: the step is that of its helpers.
        [
            "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "2",
            "PMIX_RANK": "3",
        ],
        ["PMI_SIZE": "4", "PMI_RANK": "3", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "PMIX_RANK": "1"],
        ["PMIX_RANK": "3", "SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4"],
        // mpirun from a shell that srun started.
        ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3", "PMI_SIZE": "1", "PMI_RANK": "0"],
        // Parts of a heterogeneous job are steps of one world.
        ["PMIX_RANK": "1", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"],
    ])
    func aWorldThatTheLauncherPromisedIsRight(environment: [String: String]) throws {
        try Launcher.check(environment, world: 4)
    }

    @Test(arguments: [
        [:], ["SLURM_PROCID": "0", "SLURM_NTASKS": "4"], ["PMI_SIZE": "1", "PMI_RANK": "0"],
        ["PMIX_RANK": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"],
    ])
    func aWorldOfOneIsRightWhereOneWasStarted(environment: [String: String]) throws {
        try Launcher.check(environment, world: 1)
    }

    @Test(arguments: [
        (["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "0", "PMIX_RANK": "0"], "Open MPI's mpirun", 4),
        (["PMI_SIZE": "4", "PMI_RANK": "0"], "mpiexec", 4), (["MV2_COMM_WORLD_SIZE": "2"], "MVAPICH", 2),
        // srun --mpi=pmix with MPICH.
        (["PMIX_RANK": "0", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "3"], "srun", 3),
        // A launcher that tells no number, to a rank that is not its first.
        (["PMIX_RANK": "2"], "PMIx", nil),
        // Open MPI's mpirun from a shell that srun started with PMI-2.
        (["OMPI_COMM_WORLD_SIZE": "4", "PMI_SIZE": "1"], "Open MPI's mpirun", 4),
    ])
    func aWorldOfOneOfSeveralIsRefused(environment: [String: String], launcher: String, processes: Int?) throws {
        let error = #expect(throws: MPIError.self) { try Launcher.check(environment, world: 1) }
        guard case .foreignLauncher(let name, processes, world: 1) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "")")
            return
        }
        #expect(name.contains(launcher))
        let text = try #require(error).description
        let library = MPILibrary.current
        for part in [name, MPIWorld.libraryVersion, "--mpi=\(library.slurmPlugin)", "GECKO_MPI=\(library.other.name) "]
        {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test func aWorldOfAnotherSizeIsRefused() {
        #expect(throws: MPIError.self) { try Launcher.check(["PMI_SIZE": "4", "PMI_RANK": "1"], world: 2) }
    }
}
