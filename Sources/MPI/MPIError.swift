/// What MPI, or the way it was started, made impossible.
package enum MPIError: Error, Equatable, CustomStringConvertible {
    case failed(call: String, rank: Int?, peer: Int?, tag: Int?, text: String)
    /// A message that isn't as long as its receive; `found` is nil when MPI tells only that it is longer.
    case wrongSize(rank: Int, from: Int, tag: Int, expected: Int, found: Int?)
    case threadLevel(wanted: MPIWorld.ThreadLevel, provided: MPIWorld.ThreadLevel)
    case alreadyUsed
    case unfinishedTransfers(rank: Int, count: Int)
    /// `found`: what the other ranks said, or didn't.
    case timedOut(rank: Int, what: String, seconds: Double, found: String)
    /// Another rank found that one is missing.
    case stopped(rank: Int, what: String, by: Int, reason: String)
    case tasksWithoutMPI(tasks: Int)
    /// A launcher that doesn't fit the library; `processes` is nil where it tells only that there are more than
    /// `world`.
    case foreignLauncher(String, processes: Int?, world: Int)

    /// Whether another rank did not come in time.
    package var isLostPeer: Bool {
        switch self {
        case .timedOut, .stopped: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .failed(let call, let rank, let peer, let tag, let text):
            var place = rank.map { "rank \($0): " } ?? ""
            place += call
            if let peer { place += " with rank \(peer)" }
            if let tag { place += ", tag \(tag)" }
            return "\(place) failed: \(text)"
        case .wrongSize(let rank, let source, let tag, let expected, let found):
            return "rank \(rank) expected \(expected) bytes from rank \(source) (tag \(tag)) and got "
                + (found.map { "\($0)." } ?? "more.")
        case .threadLevel(let wanted, let provided):
            return "this program needs MPI with thread level \(wanted), and the MPI library provides \(provided)."
                + " Use an MPI library built with thread support."
        case .alreadyUsed:
            return "MPI was already initialised in this process, or finalised; it can be used once."
        case .unfinishedTransfers(let rank, let count):
            return "rank \(rank) would leave MPI with \(count) transfer(s) under way."
        case .timedOut(let rank, let what, let seconds, let found):
            return "rank \(rank) waited \(seconds) s for \(what). \(found)"
        case .stopped(let rank, let what, let other, let reason):
            return "rank \(rank) waits for \(what) and was told by rank \(other): \(reason)"
        case .tasksWithoutMPI(let tasks):
            return "Slurm started \(tasks) tasks without MPI: each would run alone, all in the same directory."
                + " Start them with `srun --mpi=\(MPILibrary.current.slurmPlugin)`, or use mpirun inside the job."
        case .foreignLauncher(let launcher, let processes, let world):
            let library = MPILibrary.current
            return "\(launcher) started \(processes.map(String.init) ?? "several") processes, but to this one"
                + " \(MPIWorld.libraryVersion), which gecko was built with, shows a world of \(world):"
                + " the two are not of one MPI, and the processes would run apart in the same directory."
                + " Start them with \(library.command(ranks: processes ?? 2)), or build gecko with the launcher's MPI:"
                + " `GECKO_MPI=\(library.other.name) bash jobs/setup.sh`."
        }
    }
}
