/// What cores spend their time on, as far as a breakdown tells it apart: the number of a counter.
///
/// The kinds that every step has are here. An architecture declares those of its own, `Work(own: 0)` and so on, and
/// says how a breakdown calls them; two architectures may use the same numbers, since a team works for one model.
package struct Work: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int

    /// Counters that there are.
    package static let count = 16
    private static let general = 5

    /// - Parameter rawValue: below `count`
    @inline(__always)
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// A kind of an architecture's own.
    @inline(__always)
    package init(own number: Int) {
        precondition(number >= 0 && number < Self.count - Self.general, "there are too few counters for kind \(number)")
        rawValue = Self.general + number
    }

    package static var gemm: Work { Work(rawValue: 0) }
    package static var elementwise: Work { Work(rawValue: 1) }
    package static var optimizer: Work { Work(rawValue: 2) }
    package static var communication: Work { Work(rawValue: 3) }
    package static var waiting: Work { Work(rawValue: 4) }
}

/// The part of a training step in which time is spent; `update` is all that lies outside the schedule's table:
/// clearing, sync, norm, AdamW.
package enum StepPart: Int, CaseIterable, Sendable {
    case forward, backward, recompute, update
}
