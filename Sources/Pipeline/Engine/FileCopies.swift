import Glibc
import Numerics

/// Bytes that stay where and what they are while their owner lives.
package protocol FixedBytes: AnyObject, Sendable {
    var bytes: UnsafeRawBufferPointer { get }
}

/// Memory for bytes that another rank sends.
///
/// Unchecked because the compiler can't see the handover: only the transport writes it, until the rank has found the
/// transfer complete; from then on it is only read.
package final class ArrivalBuffer: FixedBytes, @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    package init(_ count: Int) {
        memory = UnsafeMutableRawBufferPointer(start: FloatBuffer.heap(max(1, count), alignment: 64), count: count)
    }

    deinit { free(memory.baseAddress) }
}

/// A file on its way between ranks.
package enum FileTransfer: Sendable {
    case send(any FixedBytes, to: Int)
    case receive(ArrivalBuffer, from: Int)
}

/// Checkpoint files on their way to and from other ranks, while the rank trains.
final class FileCopies {
    private let endpoint: any Endpoint
    private let tag: Int
    private var underWay: [(id: TransferID, transfer: FileTransfer)] = []

    init(_ rank: RankContext) {
        endpoint = rank.endpoint
        tag = rank.tags.checkpoint
    }

    /// Starts transfers that go on while the rank trains. Transfers between the same two ranks match in their order.
    func start(_ transfers: [FileTransfer]) throws {
        for transfer in transfers {
            let id =
                switch transfer {
                case .send(let file, let peer):
                    try endpoint.startSend(file.bytes, to: peer, tag: tag)
                case .receive(let buffer, let peer):
                    try endpoint.startReceive(into: buffer.memory, from: peer, tag: tag)
                }
            underWay.append((id, transfer))
        }
    }

    /// Whether all of them have come to their end.
    func areComplete() throws -> Bool {
        while let last = underWay.last {
            guard try endpoint.isComplete(last.id) else { return false }
            underWay.removeLast()
        }
        return true
    }

    func wait() throws {
        try endpoint.wait(for: "copies of checkpoint files") { try areComplete() }
    }
}
