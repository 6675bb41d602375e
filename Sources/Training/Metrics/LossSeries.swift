import Glibc

/// The losses of a run as a curve is drawn from them.
struct LossSeries {
    /// Finite losses in the order of their steps; of a long run means.
    let points: [(step: Int, loss: Double)]
    /// The same with the extremes of what a mean stands for.
    let outline: [(step: Int, loss: Double)]

    init(_ history: LossHistory) {
        points = history.means
        outline = history.outline
    }

    /// At most about `limit` points: the lowest and highest of each stretch of steps, and the first and last steps.
    static func thinned(_ points: [(step: Int, loss: Double)], limit: Int) -> [(step: Int, loss: Double)] {
        guard points.count > limit, limit > 2 else { return points }
        let buckets = max(1, limit / 2)
        var kept: [(step: Int, loss: Double)] = [points[0]]
        for bucket in 0..<buckets {
            let stretch = points[bucket * points.count / buckets..<(bucket + 1) * points.count / buckets]
            // The extremes of the stretch keep the band's outline; in the order of their steps.
            let extremes = [stretch.min { $0.loss < $1.loss }, stretch.max { $0.loss < $1.loss }].compactMap { $0 }
            kept += extremes.sorted { $0.step < $1.step }
        }
        kept.append(points[points.count - 1])
        return kept.enumerated().filter { $0.offset == 0 || kept[$0.offset - 1].step < $0.element.step }.map(\.element)
    }

    /// Gaussian means of the losses around at most `limit` equally spaced points, ends included; the width shrinks
    /// towards the ends, so that the curve does not lag behind the steep beginning.
    func smoothed(limit: Int) -> [(step: Int, loss: Double)] {
        let count = min(limit, points.count)
        let widest = max(1, Double(points.count) / 60)
        return (0..<count).map { place in
            let index = count == 1 ? 0 : place * (points.count - 1) / (count - 1)
            let room = Double(min(index, points.count - 1 - index))
            // The end may be uncertain by noise only, the beginning by the slope too: the end keeps more width.
            let narrowest = max(0.3, index > points.count / 2 ? widest / 2 : widest / 20)
            let sigma = max(narrowest, min(widest, room / 2.5))
            let reach = Int(3 * sigma)
            var sum = 0.0
            var weights = 0.0
            for other in max(0, index - reach)...min(points.count - 1, index + reach) {
                let distance = Double(other - index) / sigma
                let weight = exp(-0.5 * distance * distance)
                sum += weight * points[other].loss
                weights += weight
            }
            return (points[index].step, sum / weights)
        }
    }
}
