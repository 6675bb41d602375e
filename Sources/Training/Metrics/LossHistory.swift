import Figures
import Simulation

/// The losses of a run, however long, in memory of a fixed size: each step by itself at first, then stretches of 2, 4,
/// 8 ... steps, of which the mean and the extremes stay.
package struct LossHistory: Sendable {
    package typealias Point = (step: Int, loss: Double)

    private struct Stretch {
        var first: Point
        var last: Point
        var low: Point
        var high: Point
        var sum: Double
        var count = 1

        init(_ point: Point) {
            (first, last, low, high) = (point, point, point, point)
            sum = point.loss
        }

        mutating func join(_ next: Stretch) {
            last = next.last
            if next.low.loss < low.loss { low = next.low }
            if next.high.loss > high.loss { high = next.high }
            sum += next.sum
            count += next.count
        }
    }

    private let limit: Int
    private var stretches: [Stretch] = []
    /// Steps that a stretch takes.
    private var width = 1

    /// - Parameter limit: stretches at most
    package init(limit: Int = 4096) { self.limit = max(2, limit) }

    /// A loss that is not finite is no point of a curve.
    package mutating func add(step: Int, loss: Double) {
        guard loss.isFinite else { return }
        let point = Stretch((step, loss))
        if let last = stretches.last, last.count < width {
            stretches[stretches.count - 1].join(point)
            return
        }
        if stretches.count == limit { joinPairs() }
        if let last = stretches.last, last.count < width {
            stretches[stretches.count - 1].join(point)
        } else {
            stretches.append(point)
        }
    }

    private mutating func joinPairs() {
        var joined: [Stretch] = []
        joined.reserveCapacity(limit)
        for (i, stretch) in stretches.enumerated() {
            if i % 2 == 0 { joined.append(stretch) } else { joined[joined.count - 1].join(stretch) }
        }
        stretches = joined
        width *= 2
    }

    package var isEmpty: Bool { stretches.isEmpty }
    package var last: Point? { stretches.last?.last }
    package var first: Point? { stretches.first?.first }

    /// The means; the curve reaches from the first step to the last.
    package var means: [Point] {
        stretches.indices.map { i in
            let stretch = stretches[i]
            let middle = (stretch.first.step + stretch.last.step) / 2
            let step = i == 0 ? stretch.first.step : i == stretches.count - 1 ? stretch.last.step : middle
            return (step, stretch.sum / Double(stretch.count))
        }
    }

    /// The extremes of each stretch in the order of their steps, and the first and last step.
    package var outline: [Point] {
        var points: [Point] = []
        func add(_ point: Point) {
            if points.last.map({ $0.step < point.step }) ?? true { points.append(point) }
        }
        if let first { add(first) }
        for stretch in stretches {
            let isLowFirst = stretch.low.step <= stretch.high.step
            add(isLowFirst ? stretch.low : stretch.high)
            add(isLowFirst ? stretch.high : stretch.low)
        }
        if let last { add(last) }
        return points
    }
}

/// A figure of each step, for a median over a run of any length: when there are too many, every second one goes.
package struct ThinnedSample: Sendable {
    private let limit: Int
    package private(set) var values: [Double] = []
    private var stride = 1
    private var seen = 0

    package init(limit: Int = 4096) { self.limit = max(2, limit) }

    package mutating func add(_ value: Double) {
        defer { seen += 1 }
        guard seen % stride == 0 else { return }
        values.append(value)
        guard values.count > limit else { return }
        values = values.indices.filter { $0 % 2 == 0 }.map { values[$0] }
        stride *= 2
    }

    /// Without the first two of more than four, which allocate and warm up.
    package var median: Double {
        Array(values.dropFirst(seen > 4 && stride == 1 ? 2 : 0)).median ?? 0
    }
}
