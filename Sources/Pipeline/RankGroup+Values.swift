import MPI

// What ranks tell each other between steps that is no number to add up.
extension RankGroup {
    /// Everybody's value, by world rank. All ranks call it.
    package func gather<Value: WireValue>(_ value: @escaping @Sendable (_ rank: Int) -> Value) async throws -> [Value] {
        try await first("tells the others how it stands between steps") {
            let endpoint = $0.context.endpoint
            return try endpoint.gather(value(endpoint.rank))
        }
    }

    /// World rank 0's value. All ranks call it; what the others bring is ignored.
    package func broadcast<Value: WireValue>(_ value: Value) async throws -> Value {
        try await first("is told by rank 0 between steps") {
            let endpoint = $0.context.endpoint
            let bytes = try endpoint.broadcast(endpoint.rank == 0 ? value.wireBytes : [], from: 0)
            return try Value(wireBytes: bytes, from: "rank 0")
        }
    }
}
