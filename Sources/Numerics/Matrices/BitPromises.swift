/// What may be changed about a run without a bit of its parameters changing, as far as matrix products are concerned.
package struct BitPromises: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The number of pipeline stages and the layers of each.
    package static let stages = BitPromises(rawValue: 1)
    /// The order of forward and backward slices.
    package static let schedules = BitPromises(rawValue: 2)
    /// Whether forwards are computed again before their backwards.
    package static let recompute = BitPromises(rawValue: 4)
    /// Ranks in one process or under MPI.
    package static let transports = BitPromises(rawValue: 8)
    /// Going on from a checkpoint.
    package static let resume = BitPromises(rawValue: 16)
    /// The number of workers of a rank.
    package static let workers = BitPromises(rawValue: 32)
    /// Kinds of CPUs, as long as they have fused multiply-adds.
    package static let processors = BitPromises(rawValue: 64)

    /// What every engine promises: the same calls for the same slice give the same bits.
    package static let everyEngine: BitPromises = [.stages, .schedules, .recompute, .transports, .resume]
    package static let all: BitPromises = [.everyEngine, .workers, .processors]

    private static let names: [(promise: BitPromises, name: String)] = [
        (.stages, "stages"), (.schedules, "schedules"), (.recompute, "recompute"), (.transports, "transports"),
        (.resume, "resume"), (.workers, "workers"), (.processors, "kinds of CPUs"),
    ]

    /// For people: "stages, schedules, recompute".
    package var text: String { Self.names.filter { contains($0.promise) }.map(\.name).joined(separator: ", ") }
}
