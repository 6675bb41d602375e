import Hardware

/// Finds one moment on the clocks of all ranks, so that times of different ranks can be compared: to within half of the
/// shortest round trip, by Cristian's method (Distributed Computing 3, 1989).
enum ClockAlignment {
    /// Round trips per rank; the shortest counts, since the others were held up on one of their two ways.
    private static let rounds = 24

    /// The moment at which world rank 0 called this, on this rank's clock. All ranks must call it.
    static func commonMoment(_ endpoint: any Endpoint, tag: Int) throws -> Double {
        try endpoint.barrier()
        let origin = MonotonicClock.seconds
        if endpoint.rank == 0 {
            for rank in 1..<max(1, endpoint.size) { try lead(endpoint, rank, tag: tag, origin: origin) }
            return origin
        }
        return try follow(endpoint, tag: tag)
    }

    /// Asks `rank` for its clock again and again and then tells it the moment on that clock.
    private static func lead(_ endpoint: any Endpoint, _ rank: Int, tag: Int, origin: Double) throws {
        var best = (trip: Double.infinity, offset: 0.0)
        for _ in 0..<rounds {
            let sent = MonotonicClock.seconds
            try send(sent, to: rank, endpoint, tag)
            let remote = try receive(from: rank, endpoint, tag)
            let back = MonotonicClock.seconds
            if back - sent < best.trip { best = (back - sent, remote - (sent + back) / 2) }
        }
        try send(origin + best.offset, to: rank, endpoint, tag)
    }

    private static func follow(_ endpoint: any Endpoint, tag: Int) throws -> Double {
        for _ in 0..<rounds {
            _ = try receive(from: 0, endpoint, tag)
            try send(MonotonicClock.seconds, to: 0, endpoint, tag)
        }
        return try receive(from: 0, endpoint, tag)
    }

    private static func send(_ value: Double, to rank: Int, _ endpoint: any Endpoint, _ tag: Int) throws {
        try withUnsafeBytes(of: value) { bytes in
            let id = try endpoint.startSend(bytes, to: rank, tag: tag)
            try endpoint.wait(id, for: "comparing clocks with rank \(rank)")
        }
    }

    private static func receive(from rank: Int, _ endpoint: any Endpoint, _ tag: Int) throws -> Double {
        var value = 0.0
        try withUnsafeMutableBytes(of: &value) { bytes in
            let id = try endpoint.startReceive(into: bytes, from: rank, tag: tag)
            try endpoint.wait(id, for: "comparing clocks with rank \(rank)")
        }
        return value
    }
}
