import CMPI

/// The MPI that this program was built with, and how programs built with it are started.
package enum MPILibrary: Sendable {
    case openMPI
    /// MPICH, or one of those that share its ABI: Cray MPICH, Intel MPI, MVAPICH.
    case mpich

    package static var current: MPILibrary { cmpi_is_open_mpi() != 0 ? .openMPI : .mpich }

    package var other: MPILibrary { self == .openMPI ? .mpich : .openMPI }

    /// As GECKO_MPI has it when gecko is built.
    package var name: String { self == .openMPI ? "openmpi" : "mpich" }

    /// The way by which Slurm's srun connects its tasks, as its option --mpi has it.
    package var slurmPlugin: String { self == .openMPI ? "pmix" : "pmi2" }

    /// How one starts `ranks` ranks, for messages.
    package func command(ranks: Int) -> String {
        (self == .openMPI ? "`mpirun -np \(ranks)`" : "`mpiexec.mpich -n \(ranks)`")
            + " or `srun --mpi=\(slurmPlugin)`"
    }

    /// "MPICH 4.0.2" of what a library says about itself, which can be pages.
    package static func version(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        let words = line.split { $0.isWhitespace || $0 == ":" || $0 == "," }
        var result: [Substring] = []
        for word in words where word.lowercased() != "version" {
            let number = word.hasPrefix("v") ? word.dropFirst() : word
            if number.first?.isNumber == true { return (result + [number]).joined(separator: " ") }
            result.append(word)
        }
        return result.joined(separator: " ")
    }
}

extension MPIWorld {
    /// The library that is loaded and its version, "Open MPI 4.1.4" or "MPICH 4.0.2". MPI need not have started.
    package static var libraryVersion: String {
        let text = try? text("MPI_Get_library_version", capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) {
            MPI_Get_library_version($0, $1)
        }
        return text.map(MPILibrary.version) ?? MPILibrary.current.name
    }
}
