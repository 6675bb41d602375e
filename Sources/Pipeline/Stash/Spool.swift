import Hardware
import Locks
import Synchronization

/// A rank's stash on disk: a thread of its own carries out transfers one after the other, in the order in which they
/// were asked for, while the rank computes.
final class Spool {
    private let worker: SpoolWorker
    private let thread: PosixThread
    private var asked = 0

    /// - Parameter bytes: of the file, taken at once
    init(directory: String, bytes: Int, rank: Int) throws {
        let worker = SpoolWorker(file: try SpoolFile(directory: directory, bytes: bytes))
        self.worker = worker
        thread = try PosixThread(name: "gecko spool \(rank)") { worker.work() }
    }

    deinit {
        worker.dismiss()
        thread.join()
    }

    /// Asks for a transfer of whole pages; the memory must stay in place and be left alone until it is done. Returns
    /// the transfer's number.
    func ask(_ kind: SpoolTransfer.Kind, _ memory: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        asked += 1
        worker.add(SpoolTransfer(kind: kind, memory: memory, offset: offset))
        return asked
    }

    /// Whether the transfer of this number, and with it all before, is done.
    ///
    /// - Throws: the first failure of any transfer
    func isDone(_ number: Int) throws -> Bool {
        if worker.done < number { return false }
        if let error = worker.failure { throw error }
        return true
    }

    /// Sleeps until the transfer is done, a moment at most: the caller has messages to look after.
    func sleep(until number: Int) { worker.sleep(until: number) }
}

/// A transfer between memory and the spool's file.
struct SpoolTransfer {
    enum Kind { case store, fetch }

    let kind: Kind
    let memory: UnsafeMutableRawBufferPointer
    let offset: Int
}

/// What the rank's thread and the spool's thread share.
///
/// `@unchecked Sendable`: `transfers` is used under the lock of `mutex` only; the memory that a transfer names belongs
/// to the spool's thread from `add` until `done` has passed it, which the release and acquire of `done` order.
private final class SpoolWorker: @unchecked Sendable {
    private let file: SpoolFile
    private let mutex = Lock(())
    private var transfers: [SpoolTransfer] = []
    private let added = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    private let isDismissed = Atomic<Bool>(false)
    private let bell = Doorbell()
    private let firstFailure = Lock<SpoolError?>(nil)

    init(file: SpoolFile) { self.file = file }

    var done: Int { finished.load(ordering: .acquiring) }
    var failure: SpoolError? { firstFailure.withLock { $0 } }

    func add(_ transfer: SpoolTransfer) {
        mutex.withLock { _ in transfers.append(transfer) }
        added.add(1, ordering: .releasing)
        bell.ring()
    }

    func dismiss() {
        isDismissed.store(true, ordering: .releasing)
        bell.ring()
    }

    func sleep(until number: Int) {
        bell.sleep(atMost: 100e-6) { finished.load(ordering: .acquiring) >= number }
    }

    /// The spool thread's life. After a failure nothing is moved any more, so that nobody takes broken data for whole.
    func work() {
        var number = 0
        while true {
            bell.sleep {
                added.load(ordering: .acquiring) > number || isDismissed.load(ordering: .acquiring)
            }
            if isDismissed.load(ordering: .acquiring) { return }
            let transfer = mutex.withLock { _ in transfers.removeFirst() }
            if failure == nil { carryOut(transfer) }
            number += 1
            finished.store(number, ordering: .releasing)
            bell.ring()
        }
    }

    private func carryOut(_ transfer: SpoolTransfer) {
        do {
            switch transfer.kind {
            case .store: try file.write(UnsafeRawBufferPointer(transfer.memory), at: transfer.offset)
            case .fetch: try file.read(into: transfer.memory, at: transfer.offset)
            }
        } catch {
            let error = error as? SpoolError ?? SpoolError("\(error)")
            firstFailure.withLock { $0 = $0 ?? error }
        }
    }
}
