/// Where the time of some steps went, in core-seconds: a team's wall time times its threads. Times of several teams add
/// up.
package struct WorkTimes: Sendable, Equatable {
    private static let works = Work.count
    private static let columns = works + 2

    /// By part of the step: each kind of work, the leader's time outside of any, and all workers' time.
    package private(set) var numbers = [Double](repeating: 0, count: StepPart.allCases.count * columns)

    package init() {}

    /// Core-seconds of one kind of work in a part of the step.
    package internal(set) subscript(_ work: Work, _ part: StepPart) -> Double {
        get { numbers[part.rawValue * Self.columns + work.rawValue] }
        set { numbers[part.rawValue * Self.columns + work.rawValue] = newValue }
    }

    /// What the leader did between two pieces of work: the loop over actions and layers, bookkeeping.
    package internal(set) subscript(rest part: StepPart) -> Double {
        get { numbers[part.rawValue * Self.columns + Self.works] }
        set { numbers[part.rawValue * Self.columns + Self.works] = newValue }
    }

    /// All core-seconds of a part.
    package internal(set) subscript(total part: StepPart) -> Double {
        get { numbers[part.rawValue * Self.columns + Self.works + 1] }
        set { numbers[part.rawValue * Self.columns + Self.works + 1] = newValue }
    }

    package subscript(_ work: Work) -> Double { StepPart.allCases.reduce(0) { $0 + self[work, $1] } }
    package var rest: Double { StepPart.allCases.reduce(0) { $0 + self[rest: $1] } }
    package var total: Double { StepPart.allCases.reduce(0) { $0 + self[total: $1] } }

    /// Core-seconds in which a core had nothing to do: the leader waited for messages, or workers for the leader or one
    /// another.
    package var idle: Double {
        let work = (0..<Self.works).lazy.map { Work(rawValue: $0) }.filter { $0 != .waiting }
        return total - rest - work.reduce(0) { $0 + self[$1] }
    }

    /// Adds what another team counted.
    package mutating func add(_ other: [Double]) {
        precondition(other.count == numbers.count, "the numbers of another breakdown")
        for i in numbers.indices { numbers[i] += other[i] }
    }
}
