/// What a plan need not search for because it is settled; nil leaves it open.
public struct PlanChoice: Sendable, Equatable {
    public var stages: Int?
    public var replicas: Int?
    public var threads: Int?
    public var slice: Int?
    public var schedule: String?
    public var recompute: Bool?

    public init() {}

    func allows(_ candidate: PlanCandidate) -> Bool {
        func fits<Value: Equatable>(_ chosen: Value?, _ value: Value) -> Bool { chosen.map { $0 == value } ?? true }
        return fits(stages, candidate.stages) && fits(replicas, candidate.replicas) && fits(threads, candidate.threads)
            && fits(slice, candidate.slice) && fits(schedule, candidate.schedule)
            && fits(recompute, candidate.recompute)
    }

    /// The settled things, for messages.
    var description: String {
        let parts = [
            stages.map { "\($0) stages" }, replicas.map { "\($0) replicas" }, threads.map { "\($0) threads a rank" },
            slice.map { "slices of \($0)" }, schedule.map { "schedule \($0)" },
            recompute.map { $0 ? "recompute" : "no recompute" },
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }
}
