import Synchronization

/// A send or a receive of one rank, used again and again.
///
/// `@unchecked Sendable`: the owner writes the fields before it puts the transfer in a mailbox under the mailbox's
/// lock; one other thread takes it out under that lock; `isFinished` gives it back to the owner.
final class InMemoryTransfer: @unchecked Sendable {
    enum Kind { case send, receive }

    private let owner: RankMailbox
    private(set) var kind = Kind.send
    private(set) var use = 0
    private(set) var source = 0
    private(set) var destination = 0
    private(set) var tag = 0
    /// The memory to be read or, for a receive, written.
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Bytes of the message that came, for a receive.
    private(set) var received = 0
    private let finished = Atomic<Bool>(false)

    init(owner: RankMailbox) { self.owner = owner }

    func prepare(_ kind: Kind, source: Int, destination: Int, tag: Int, memory: UnsafeMutableRawBufferPointer) {
        self.kind = kind
        self.source = source
        self.destination = destination
        self.tag = tag
        self.memory = memory
        finished.store(false, ordering: .relaxed)
    }

    var byteCount: Int { memory.count }

    func fill(from message: InMemoryTransfer) {
        received = message.memory.count
        let count = min(memory.count, message.memory.count)
        if count > 0 { memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: message.memory[..<count])) }
    }

    /// Gives the transfer back to its owner and wakes it.
    func finish() {
        let owner = owner
        finished.store(true, ordering: .releasing)
        owner.notify()
    }

    var isFinished: Bool { finished.load(ordering: .acquiring) }

    /// Makes IDs of this use stale.
    func retire() { use += 1 }
}
