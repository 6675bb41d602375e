import Glibc
import Pipeline

/// A curve of the picture with its band: the mean over the runs of a group, and their standard deviation.
struct ComparisonCurve {
    struct Point: Equatable {
        let x: Double
        let mean: Double
        /// Over seeds; 0 of one.
        let deviation: Double
    }

    let points: [Point]

    /// Smoothed training losses at equal distances, as far as every run has come.
    ///
    /// - Parameter x: where a step stands: its tokens, or its time
    init(_ group: RunGroup, x: (ComparedRun.Point) -> Double, count: Int = 200) {
        let runs = group.runs.map { run in run.points.map { (x: x($0), loss: $0.loss) } }.filter { !$0.isEmpty }
        guard let first = runs.map({ $0[0].x }).max(), let last = runs.map({ $0[$0.count - 1].x }).min(), first <= last
        else {
            points = []
            return
        }
        let places = (0..<count).map { first + (last - first) * Double($0) / Double(count - 1) }
        let smoothed = runs.map { run in places.map { Self.smooth(run, at: $0, first..<last) } }
        points = places.indices.compactMap { i in SeedMean(smoothed.map { $0[i] }).map { Point(places[i], $0) } }
    }

    /// Held-out losses over positions, later bins together so that each point is about a quarter further than the one
    /// before.
    init(positions group: RunGroup, bins: PositionBins) {
        guard group.runs.allSatisfy({ $0.positions?.bins == bins }) else {
            points = []
            return
        }
        var bounds = [0]
        while let last = bounds.last, last < bins.count { bounds.append(min(bins.count, last + max(1, last / 4))) }
        points = zip(bounds, bounds.dropFirst()).compactMap { from, to in
            let middle = Double(bins.positions(of: from).lowerBound + bins.positions(of: to - 1).upperBound) / 2
            return group.heldOutLoss(bins: from..<to).map { Point(middle, $0) }
        }
    }

    /// A Gaussian mean of the losses around a place. Its width shrinks towards the ends, so that the curve doesn't lag
    /// behind the steep beginning.
    private static func smooth(_ points: [(x: Double, loss: Double)], at place: Double, _ range: Range<Double>)
        -> Double
    {
        let whole = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
        let step = whole / Double(max(1, points.count - 1))
        let room = min(place - range.lowerBound, (range.upperBound - place) * 2 + whole / 60)
        let sigma = max(step * 0.5, min(whole / 60, room / 2.5))
        var (sum, weights) = (0.0, 0.0)
        let start = Self.first(points, notBelow: place - 4 * sigma)
        for point in points[start...] {
            let distance = (point.x - place) / sigma
            if distance > 4 { break }
            let weight = exp(-0.5 * distance * distance)
            sum += weight * point.loss
            weights += weight
        }
        if weights > 0 { return sum / weights }
        // None is near: the next one.
        return points[min(start, points.count - 1)].loss
    }

    /// The first point from a place on; points are in their order.
    private static func first(_ points: [(x: Double, loss: Double)], notBelow place: Double) -> Int {
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].x < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ComparisonCurve.Point {
    fileprivate init(_ x: Double, _ value: SeedMean) {
        self.init(x: x, mean: value.mean, deviation: value.deviation ?? 0)
    }
}
