import Glibc
import MPI

/// One rank works while the others sleep, for ranks that share cores: a waiting rank that polled would be what disturbs
/// the measurement.
enum Turns {
    private enum Tag {
        static let next = 3
        static let end = 4
    }

    /// Microseconds between two looks for a message: a thousandth of the core.
    private static let nap: UInt32 = 5000

    /// All ranks call it; the bodies run in the order of ranks.
    static func take(_ world: MPIWorld, _ body: () -> Void) throws {
        let token = Message(bytes: 8)
        let bytes = UnsafeRawBufferPointer(token.bytes)
        if world.rank > 0 { try sleepUntilReceived(token, from: world.rank - 1, tag: Tag.next, world) }
        body()
        if world.rank + 1 < world.size {
            try world.send(bytes, to: world.rank + 1, tag: Tag.next)
            try sleepUntilReceived(token, from: world.size - 1, tag: Tag.end, world)
        } else {
            for rank in 0..<world.rank { try world.send(bytes, to: rank, tag: Tag.end) }
        }
    }

    private static func sleepUntilReceived(_ token: Message, from rank: Int, tag: Int, _ world: MPIWorld) throws {
        let transfer = try world.startReceive(into: token.bytes, from: rank, tag: tag)
        while try !world.isComplete(transfer) { usleep(nap) }
    }
}
