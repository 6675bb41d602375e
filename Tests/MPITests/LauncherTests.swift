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
        #expect(try #require(error).description.contains("srun --mpi=pmix"))
    }
}
