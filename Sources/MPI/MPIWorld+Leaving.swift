import CMPI
import Glibc
import Hardware
import Synchronization

extension MPIWorld {
    /// Leaves MPI, together with all other ranks. A rank that doesn't come is noticed: MPI itself would wait for it for
    /// ever.
    ///
    /// MPI_Finalize can hang although all ranks came: with UCX, over which MPICH sends, a rank that is a little late
    /// sees the others close their connections, connects to them again, and waits for an answer that none of them
    /// gives any more (MPICH 4.0 with UCX 1.13 over TCP: every second time). Nothing is left to do then but to end.
    ///
    /// - Parameters:
    ///   - status: the exit status of this process, with which it ends at once where MPI does not let it go
    ///   - seconds: how long MPI may take for that once all ranks have come
    package func finalize(endingWith status: Int32, within seconds: Double = 5) throws {
        checkThread()
        try barrier()
        guard transfers.active == 0 else {
            throw MPIError.unfinishedTransfers(rank: rank, count: transfers.active)
        }
        let limit = LeavingLimit()
        // A system that refuses a thread at the end gives no limit; the watchdog has one.
        try? PosixThread.detached(name: "gecko leaving") { limit.end(after: seconds, status: status) }
        try check(MPI_Finalize(), "MPI_Finalize")
        limit.hasLeft.store(true, ordering: .releasing)
    }
}

private final class LeavingLimit: Sendable {
    let hasLeft = Atomic<Bool>(false)

    func end(after seconds: Double, status: Int32) {
        usleep(UInt32(seconds * 1e6))
        if hasLeft.load(ordering: .acquiring) { return }
        fflush(nil)
        _exit(status)
    }
}
