import MPI

extension Endpoint {
    /// Everybody's value, by rank. All ranks call it.
    func gather<Value: WireValue>(_ value: Value) throws -> [Value] {
        try allGather(WireDoubles.doubles(value.wireBytes)).enumerated().map { rank, doubles in
            try Value(wireBytes: WireDoubles.bytes(doubles), from: "rank \(rank)")
        }
    }
}

/// Bytes as the doubles of an all-gather, which are copied and never computed with: their count, then eight to each.
enum WireDoubles {
    static func doubles(_ bytes: [UInt8]) -> [Double] {
        var doubles = [Double](repeating: 0, count: 1 + (bytes.count + 7) / 8)
        doubles[0] = Double(bytes.count)
        doubles.withUnsafeMutableBytes { $0[8..<8 + bytes.count].copyBytes(from: bytes) }
        return doubles
    }

    /// A count that isn't one gives what there is: the reader of the bytes says what is wrong with them.
    static func bytes(_ doubles: [Double]) -> [UInt8] {
        let count = doubles.first.flatMap { Int(exactly: $0) } ?? 0
        return doubles.withUnsafeBytes { Array($0.dropFirst(8).prefix(max(0, count))) }
    }
}
