import Glibc
import Hardware
import MPI

/// How far the nodes' clocks are apart: logs and the times of files are compared by people and by build tools.
enum WallClock {
    private static let tag = 2
    private static let rounds = 12

    /// All ranks call it.
    /// - Returns: seconds that this rank's clock is ahead of rank 0's, and how far that may be off: half of the
    ///   shortest round trip
    static func compare(_ world: MPIWorld) throws -> (offset: Double, error: Double) {
        let message = Message(bytes: 24)
        let whole = UnsafeRawBufferPointer(message.bytes)
        if world.rank > 0 {
            for _ in 0..<rounds {
                try world.receive(into: message.bytes, from: 0, tag: tag)
                message.rate = now
                try world.send(whole, to: 0, tag: tag)
            }
            try world.receive(into: message.bytes, from: 0, tag: tag)
            return (message.bytes.load(as: Double.self), message.bytes.load(fromByteOffset: 8, as: Double.self))
        }
        for rank in 1..<max(1, world.size) {
            var best = (trip: Double.infinity, offset: 0.0)
            for _ in 0..<rounds {
                let sent = now
                let start = MonotonicClock.seconds
                try world.send(whole, to: rank, tag: tag)
                try world.receive(into: message.bytes, from: rank, tag: tag)
                let trip = MonotonicClock.seconds - start
                if trip < best.trip { best = (trip, message.rate - (sent + trip / 2)) }
            }
            message.rate = best.offset
            message.bytes.storeBytes(of: best.trip / 2, toByteOffset: 8, as: Double.self)
            try world.send(whole, to: rank, tag: tag)
        }
        return (0, 0)
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
}
