import CMPI
import Glibc
import Hardware

/// All ranks of this run. It belongs to the thread that makes it, the only one that may call MPI.
///
/// Ranks are numbered node by node, in the order in which the launcher's ranks first come to a node, whatever way the
/// launcher dealt them out: neighbours in rank share a node as long as it has room. Rank 0 is the launcher's rank 0.
///
/// Works under a launcher and without one (a world of one rank). Communicators and requests never leave this class.
package final class MPIWorld {
    package let rank: Int
    package let size: Int
    /// The node's name.
    package let hostName: String
    /// This rank's number among those of its node, and how many they are.
    package let localRank: Int
    package let localSize: Int
    /// Tags run from 0 to this one.
    package let largestTag: Int
    /// Whether ranks share cores, so that a waiting one should yield at once.
    package var isOversubscribed = false
    /// Seconds a wait may last before the others are asked and the job is given up.
    package var patience = 300.0
    /// Beats while a wait lasts.
    package var heartbeat: Heartbeat?
    /// Node names by rank, for messages; none until they are set.
    package var hosts: [String] = []

    let communicator: cmpi_comm
    let control: cmpi_comm
    let node: cmpi_comm
    var transfers = TransferTable()
    let failureDetector = FailureDetector()
    /// A message of more bytes is sent in pieces, because MPI counts in 32 bits.
    let largestPiece: Int
    private let thread = pthread_self()

    /// - Parameter largestPiece: to be changed by tests only.
    package init(threadLevel: ThreadLevel = .funneled, largestPiece: Int = 1 << 30) throws {
        var flag: Int32 = 0
        MPI_Initialized(&flag)
        guard flag == 0 else { throw MPIError.alreadyUsed }
        var level: Int32 = 0
        try MPIWorld.check(MPI_Init_thread(nil, nil, threadLevel.code, &level), "MPI_Init_thread")
        let provided = ThreadLevel(code: level)
        guard provided >= threadLevel else {
            throw MPIError.threadLevel(wanted: threadLevel, provided: provided)
        }
        // From here on errors come back as codes instead of ending the program.
        let world = cmpi_comm_world()
        try MPIWorld.check(cmpi_return_errors(world), "MPI_Comm_set_errhandler")
        var rank: Int32 = 0
        var size: Int32 = 0
        try MPIWorld.check(cmpi_rank(world, &rank), "MPI_Comm_rank")
        try MPIWorld.check(cmpi_size(world, &size), "MPI_Comm_size")
        do {
            try Launcher.check(Launcher.environment, world: Int(size))
        } catch {
            // Alone it waits for nobody; helpers that the library started for it end with it.
            if size == 1 { MPI_Finalize() }
            throw error
        }
        node = try MPIWorld.make("MPI_Comm_split_type") { cmpi_split_by_node(world, rank, $0) }
        try MPIWorld.check(cmpi_return_errors(node), "MPI_Comm_set_errhandler")
        // Communicators of our own: their tags are ours alone. They inherit the error handler. Ranks of a node have the
        // same key, the launcher's number of the first of them; among those of equal key the launcher's order stays.
        var first = rank
        try MPIWorld.check(cmpi_broadcast_int(&first, 0, node), "MPI_Bcast")
        let ordered = try MPIWorld.make("MPI_Comm_split") { cmpi_reorder(world, first, $0) }
        try MPIWorld.check(cmpi_return_errors(ordered), "MPI_Comm_set_errhandler")
        communicator = ordered
        control = try MPIWorld.make("MPI_Comm_dup") { cmpi_duplicate(ordered, $0) }
        try MPIWorld.check(cmpi_rank(communicator, &rank), "MPI_Comm_rank")
        self.rank = Int(rank)
        self.size = Int(size)
        try MPIWorld.check(cmpi_rank(node, &rank), "MPI_Comm_rank")
        try MPIWorld.check(cmpi_size(node, &size), "MPI_Comm_size")
        localRank = Int(rank)
        localSize = Int(size)
        var tag: Int32 = 0
        try MPIWorld.check(cmpi_largest_tag(communicator, &tag), "MPI_Comm_get_attr")
        largestTag = Int(tag)
        hostName = try MPIWorld.text("MPI_Get_processor_name", capacity: Int(MPI_MAX_PROCESSOR_NAME)) {
            MPI_Get_processor_name($0, $1)
        }
        self.largestPiece = largestPiece
    }

    /// Ends all ranks at once; the launcher reports `code`, or a code of its own, as the exit status.
    package func abort(code: Int32) -> Never {
        // MPICH's launcher drops what it has not read of the ranks' output by then, such as the reason.
        if MPILibrary.current == .mpich { usleep(300_000) }
        cmpi_abort(cmpi_comm_world(), code)
        exit(code)
    }

    /// MPI is promised that one thread calls it.
    @inline(__always)
    func checkThread() {
        precondition(pthread_equal(pthread_self(), thread) != 0, "MPI was called from a thread that didn't start it")
    }
}

extension MPIWorld {
    /// What threads may call MPI, from none but the only one to all at the same time.
    package enum ThreadLevel: Int, Comparable, Sendable, CustomStringConvertible {
        case single, funneled, serialized, multiple

        package static func < (left: ThreadLevel, right: ThreadLevel) -> Bool { left.rawValue < right.rawValue }

        package var description: String {
            switch self {
            case .single: "MPI_THREAD_SINGLE"
            case .funneled: "MPI_THREAD_FUNNELED"
            case .serialized: "MPI_THREAD_SERIALIZED"
            case .multiple: "MPI_THREAD_MULTIPLE"
            }
        }

        var code: Int32 {
            switch self {
            case .single: Int32(MPI_THREAD_SINGLE)
            case .funneled: Int32(MPI_THREAD_FUNNELED)
            case .serialized: Int32(MPI_THREAD_SERIALIZED)
            case .multiple: Int32(MPI_THREAD_MULTIPLE)
            }
        }

        /// The highest level that `code` reaches.
        init(code: Int32) {
            self = [.multiple, .serialized, .funneled].first { $0.code <= code } ?? .single
        }
    }
}
