import Foundation
import MPI

/// How the launchers of MPI libraries are called: the one place of the tests that knows them, as jobs/mpi.sh is that of
/// the scripts.
package enum Launchers {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// The variable that tells a process its rank.
    package static var rankVariable: String {
        MPILibrary.current == .openMPI ? "OMPI_COMM_WORLD_RANK" : "PMI_RANK"
    }

    package static func isInstalled(_ library: MPILibrary) -> Bool { found[library] != nil }

    /// What starts `ranks` ranks of the program that follows, more than there are cores if need be.
    package static func command(of library: MPILibrary = .current, ranks: Int) throws -> [String] {
        guard let launcher = found[library] else {
            throw Missing(description: "no launcher of \(library.name) is on PATH: \(names(of: library))")
        }
        switch library {
        case .openMPI: return [launcher, "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"]
        case .mpich: return [launcher, "-bind-to", "none", "-n", "\(ranks)"]
        }
    }

    /// A launcher's exit code as others have it: MPICH's gives the number of the signal that ended a rank, without the
    /// 128 more.
    static func exitCode(_ code: Int32, of launcher: String) -> Int32 {
        launcher == found[.mpich] && 4...15 ~= code ? 128 + code : code
    }

    /// Without what a launcher may have left that started the tests, and with what this one wants to be told.
    static func clean(_ environment: [String: String]) -> [String: String] {
        let foreign = [
            "OMPI_", "PMIX_", "PMI_", "PRTE_", "OPAL_", "SLURM_", "HYDI_", "HYDRA_", "MPI_LOCAL", "MV2_COMM_WORLD_",
        ]
        var clean = environment.filter { entry in !foreign.contains { entry.key.hasPrefix($0) } }
        clean["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        clean["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        clean["OMPI_MCA_mpi_yield_when_idle"] = "1"
        clean["OMPI_MCA_hwloc_base_binding_policy"] = "none"
        return clean
    }

    private static let found: [MPILibrary: String] = {
        var found: [MPILibrary: String] = [:]
        for library in [MPILibrary.openMPI, .mpich] { found[library] = names(of: library).first { isOf(library, $0) } }
        return found
    }()

    /// Debian has both beside each other under the first names.
    private static func names(of library: MPILibrary) -> [String] {
        let given = ProcessInfo.processInfo.environment["GECKO_MPIEXEC"].map { [$0] } ?? []
        switch library {
        case .openMPI: return given + ["mpirun.openmpi", "mpirun"]
        case .mpich: return given + ["mpiexec.mpich", "mpiexec.hydra", "mpiexec", "mpirun"]
        }
    }

    private static func isOf(_ library: MPILibrary, _ name: String) -> Bool {
        guard let answer = try? runProgram("/usr/bin/env", [name, "--version"]), answer.passed else { return false }
        return answer.output.contains("Open MPI") == (library == .openMPI)
    }
}
