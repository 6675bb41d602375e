import Glibc

/// What the machine or its operating system refused.
package enum HardwareError: Error, Equatable, CustomStringConvertible {
    case topologyUnreadable(reason: String)
    case noUsableCore(rank: Int?)
    case tooManyThreads(threads: Int, ranks: Int, cores: Int, most: Int)
    case unknownCore(Int, usable: [Int])
    case bindingRefused(core: Int, reason: String)
    case threadRefused(name: String, reason: String)

    package var description: String {
        switch self {
        case .topologyUnreadable(let reason):
            "hwloc cannot read this machine's topology: \(reason). Try `lstopo` on this node; it should show cores."
        case .noUsableCore(let rank):
            (rank.map { "rank \($0)" } ?? "this process")
                + " may use no core: the binding set by the launcher and the cores that the system allows do not meet."
                + " Check the launcher's binding options (--bind-to, --cpu-bind) and the job's CPU set."
        case .tooManyThreads(let threads, 1, let cores, let most):
            "\(threads) threads a rank (machine.threads, --threads) are too many: it may use \(cores) core(s), and at "
                + "most "
                + "\(CoreAssignment.mostThreadsACore) a core make sense. Set machine.threads to at most \(most), or to "
                + "0 for one a core."
        case .tooManyThreads(let threads, let ranks, let cores, let most):
            "\(ranks) ranks with \(threads) thread(s) each are too many for one node, of which \(cores) core(s) may be "
                + "used: at most "
                + "\(most) threads. Take fewer stages or replicas (pipeline.stages, --stages), or start them on more "
                + "nodes."
        case .unknownCore(let core, let usable):
            "core \(core) is not one of the cores this process may use (\(CoreList(usable)))."
        case .bindingRefused(let core, let reason):
            "the system refused to bind a thread to core \(core): \(reason)."
                + " The job's CPU set may have changed since the program started."
        case .threadRefused(let name, let reason):
            "the system refused to start thread \(name): \(reason). Check `ulimit -u` and the job's limits."
        }
    }

    /// The system's text for an error number.
    static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
