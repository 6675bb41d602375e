import CMPI

// Calls that all ranks make together.
extension MPIWorld {
    /// Who takes part.
    package enum Group: Sendable {
        case all
        /// The ranks of this rank's node, by local rank.
        case node
    }

    /// Returns when every rank has come here.
    package func barrier() throws {
        checkThread()
        var request = cmpi_request_null()
        try check(cmpi_start_barrier(communicator, &request), "MPI_Ibarrier")
        try wait(request, for: "barrier")
    }

    /// The root's bytes; the others' argument is ignored.
    package func broadcast(_ bytes: [UInt8], from root: Int) throws -> [UInt8] {
        checkThread()
        precondition(0..<size ~= root, "rank \(rank): there is no rank \(root) among \(size)")
        var count = [Int64(bytes.count)]
        try count.withUnsafeMutableBytes { try spread($0, from: root) }
        var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
        try result.withUnsafeMutableBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: largestPiece) {
                let piece = bytes[start..<min(start + largestPiece, bytes.count)]
                try spread(UnsafeMutableRawBufferPointer(rebasing: piece), from: root)
            }
        }
        return result
    }

    /// The root's value; the others bring none.
    package func broadcast<Value: WireValue>(_ value: Value?, from root: Int) throws -> Value {
        try Value(wireBytes: try broadcast(value?.wireBytes ?? [], from: root), from: "rank \(root)")
    }

    /// Everybody's bytes, by rank. Together they must be fewer than 2 GiB.
    package func allGather(_ bytes: [UInt8], group: Group = .all) throws -> [[UInt8]] {
        checkThread()
        let (communicator, size) = group == .all ? (communicator, size) : (node, localSize)
        let counts = try allGatherCounts(bytes.count, communicator, size)
        let total = counts.reduce(0, +)
        guard total <= Int(Int32.max) else {
            throw MPIError.failed(
                call: "allGather", rank: rank, peer: nil, tag: nil,
                text: "\(total) bytes in all are more than the 2147483647 that MPI can count")
        }
        let offsets = counts.indices.map { counts[..<$0].reduce(0, +) }
        let all = try [UInt8](unsafeUninitializedCapacity: total) { memory, initialized in
            let lengths = counts.map(Int32.init)
            let starts = offsets.map(Int32.init)
            // The arrays must stay where they are until the call is complete.
            try bytes.withUnsafeBytes { bytes in
                try lengths.withUnsafeBufferPointer { lengths in
                    try starts.withUnsafeBufferPointer { starts in
                        var request = cmpi_request_null()
                        try check(
                            cmpi_start_gather_bytes(
                                bytes.baseAddress, Int32(bytes.count), memory.baseAddress, lengths.baseAddress,
                                starts.baseAddress, communicator, &request),
                            "MPI_Iallgatherv")
                        try wait(request, for: "allGather")
                    }
                }
            }
            initialized = total
        }
        return counts.indices.map { Array(all[offsets[$0]..<offsets[$0] + counts[$0]]) }
    }

    /// Everybody's value, by rank.
    package func allGather<Value: WireValue>(_ value: Value, group: Group = .all) throws -> [Value] {
        try allGather(value.wireBytes, group: group).enumerated().map { rank, bytes in
            try Value(wireBytes: bytes, from: group == .all ? "rank \(rank)" : "this node's rank \(rank)")
        }
    }

    /// Everybody's numbers, by rank; not all need bring equally many.
    package func allGather(_ values: [Double], group: Group = .all) throws -> [[Double]] {
        try allGather(values.withUnsafeBytes { Array($0) }, group: group).map { bytes in
            bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
            }
        }
    }

    /// Everybody's numbers into memory of the caller: `all` [ranks, values]. Every rank brings equally many, so one
    /// call does it.
    package func allGather(
        _ values: UnsafeBufferPointer<Double>, into all: UnsafeMutableBufferPointer<Double>
    ) throws {
        checkThread()
        precondition(all.count == size * values.count, "rank \(rank): no room for the numbers of \(size) ranks")
        var request = cmpi_request_null()
        let count = Int32(values.count)
        try check(
            cmpi_start_gather(values.baseAddress, all.baseAddress, count, cmpi_double(), communicator, &request),
            "MPI_Iallgather")
        try wait(request, for: "allGather")
    }

    private func spread(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws {
        var request = cmpi_request_null()
        try check(
            cmpi_start_broadcast(bytes.baseAddress, Int32(bytes.count), Int32(root), communicator, &request),
            "MPI_Ibcast")
        try wait(request, for: "broadcast from rank \(root)")
    }

    private func allGatherCounts(_ count: Int, _ communicator: cmpi_comm, _ size: Int) throws -> [Int] {
        var own = Int64(count)
        return try [Int64](unsafeUninitializedCapacity: size) { counts, initialized in
            try withUnsafeBytes(of: &own) { own in
                var request = cmpi_request_null()
                try check(
                    cmpi_start_gather(own.baseAddress, counts.baseAddress, 1, cmpi_int64(), communicator, &request),
                    "MPI_Iallgather")
                try wait(request, for: "allGather")
            }
            initialized = size
        }.map(Int.init)
    }
}
