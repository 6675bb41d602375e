import MPI
import Pipeline

/// Gathers, broadcasts and barriers, of different lengths.
func collectives(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    for round in 0..<20 {
        let values = [Double](repeating: Double(world.rank), count: world.rank + round)
        let expected = (0..<world.size).map { [Double](repeating: Double($0), count: $0 + round) }
        try expect(endpoint.allGather(values) == expected, "round \(round): allGather")
        try gatherEqually(round, world, endpoint)
        let root = round % world.size
        // Longer than a piece, now and then.
        let bytes = (0..<(round % 5 == 4 ? 250_000 : round)).map { UInt8(truncatingIfNeeded: $0 &+ root) }
        let got = try endpoint.broadcast(world.rank == root ? bytes : [], from: root)
        try expect(got == bytes, "round \(round): broadcast from \(root)")
        try endpoint.barrier()
    }
    let names = try world.allGather("rank \(world.rank)")
    try expect(names == (0..<world.size).map { "rank \($0)" }, "allGather of text: \(names)")
    let lists = try world.allGather(world.rank == 0 ? nil : [world.hostName, ""])
    try expect(lists == (0..<world.size).map { $0 == 0 ? nil : [world.hostName, ""] }, "allGather of lists: \(lists)")
    let flags = try world.broadcast(world.rank == 0 ? [true, false] : nil, from: 0)
    try expect(flags == [true, false], "broadcast of flags: \(flags)")
    let locals = try world.allGather([Double(world.localRank)], group: .node)
    try expect(locals == (0..<world.localSize).map { [Double($0)] }, "allGather on the node: \(locals)")
    try expect(!world.hostName.isEmpty, "the node has no name")
    try endpoint.requireTags(upTo: 32_767)
}

private func gatherEqually(_ count: Int, _ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let values = [Double](repeating: Double(world.rank), count: count)
    var all = [Double](repeating: .nan, count: world.size * count)
    try values.withUnsafeBufferPointer { values in
        try all.withUnsafeMutableBufferPointer { try endpoint.allGather(values, into: $0) }
    }
    let expected = (0..<world.size).flatMap { [Double](repeating: Double($0), count: count) }
    try expect(all == expected, "allGather of \(count) numbers each")
}

/// Sums of several sizes over all ranks and over every second rank, two at the same time; the result must be the
/// ordered sum bit for bit.
func sync(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    for count in [0, 1, 7, 1000, 300_001] {
        let groups = [
            Array(0..<world.size), (0..<world.size).filter { $0 % 2 == world.rank % 2 },
        ]
        let buffers = groups.map { _ in UnsafeMutableBufferPointer<Float>.allocate(capacity: count) }
        defer { for buffer in buffers { buffer.deallocate() } }
        let syncs = groups.indices.map {
            OrderedSum(
                endpoint: endpoint, group: groups[$0], buffer: buffers[$0], firstTag: 600 + 2 * $0, pieceBytes: 64 << 10
            )
        }
        endpoint.onWait = { for sync in syncs { try sync.progress() } }
        defer { endpoint.onWait = nil }
        for step in 0..<3 {
            for buffer in buffers { for index in 0..<count { buffer[index] = term(world.rank, index, step) } }
            for sync in syncs { try sync.start() }
            for sync in syncs.reversed() { try sync.finish() }
            for (group, buffer) in zip(groups, buffers) {
                for index in 0..<count {
                    let expected = group.dropFirst().reduce(term(group[0], index, step)) { $0 + term($1, index, step) }
                    try expect(
                        buffer[index].bitPattern == expected.bitPattern,
                        "sum over \(group), element \(index) of \(count): \(buffer[index]), expected \(expected)")
                }
            }
        }
    }
}

/// Values whose sum depends on its order.
private func term(_ rank: Int, _ index: Int, _ step: Int) -> Float {
    let mixed = UInt32(truncatingIfNeeded: (rank &* 1_000_003 &+ index) &* 2_654_435_761 &+ step &* 97)
    return (Float(mixed % 20_001) - 10_000) * (mixed & 1 == 0 ? 1e-3 : 1e3)
}
