/// The speed figures of a cluster's description, fitted to what stages, messages and ends of steps took with slices of
/// several lengths.
///
/// The planner's model of a stage is a straight line over the slice length: arithmetic per token, and an overhead per
/// layer and action. Both come from one least-squares fit of relative errors, so that short slices count as much as
/// long ones.
public struct ClusterFit: Sendable, Equatable {
    /// What one stage took for a slice, forward and backward.
    public struct Sample: Sendable, Equatable {
        /// Operations of a forward on one token, embedding and output layer included.
        public let flopsPerToken: Double
        public let layers: Int
        public let slice: Int
        /// Seconds of a forward and of both gradients together.
        public let time: Double

        public init(flopsPerToken: Double, layers: Int, slice: Int, time: Double) {
            self.flopsPerToken = flopsPerToken
            self.layers = layers
            self.slice = slice
            self.time = time
        }
    }

    /// Operations per second of one rank.
    public let speed: Double
    /// Seconds that a layer takes per action beside its arithmetic.
    public let overhead: Double
    /// The largest deviation of a sample from the fit, as a share of what was measured.
    public let largestError: Double

    /// - Throws: `SimulationError` if the samples don't have two slice lengths or don't grow with it.
    public init(_ samples: [Sample]) throws {
        guard Set(samples.map(\.slice)).count >= 2, samples.allSatisfy({ $0.time > 0 }) else {
            throw SimulationError(
                "speed and overhead need times of at least two slice lengths; use a longer sequence or a smaller chunk")
        }
        // Forward, input and weight gradient each take the same arithmetic and the same overhead.
        let lines = samples.map {
            (arithmetic: 3 * $0.flopsPerToken * Double($0.slice) / $0.time, overhead: 3 * Double($0.layers) / $0.time)
        }
        var (seconds, overhead) = Self.leastSquares(lines.map { ($0.arithmetic, $0.overhead) })
        if overhead < 0 {
            overhead = 0
            seconds = Self.leastSquares(lines.map { ($0.arithmetic, 0) }).0
        }
        guard seconds > 0, seconds.isFinite else {
            throw SimulationError("the measured times don't grow with the slice length: measure again with more steps")
        }
        speed = 1 / seconds
        self.overhead = overhead
        largestError = lines.reduce(0) { max($0, abs($1.arithmetic * seconds + $1.overhead * overhead - 1)) }
    }

    /// x and y that bring a x + b y nearest to 1 for all (a, b).
    private static func leastSquares(_ rows: [(a: Double, b: Double)]) -> (Double, Double) {
        var (aa, ab, bb, a, b) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for row in rows {
            aa += row.a * row.a
            ab += row.a * row.b
            bb += row.b * row.b
            a += row.a
            b += row.b
        }
        let determinant = aa * bb - ab * ab
        guard determinant > 1e-12 * aa * bb else { return (aa > 0 ? a / aa : 0, 0) }
        return ((a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant)
    }
}

extension Link {
    /// A link from what messages of several sizes took; nil without any.
    public init?(_ messages: [(bytes: Int, time: Double)]) {
        guard let first = messages.first else { return nil }
        let count = Double(messages.count)
        let mean = (
            bytes: messages.reduce(0) { $0 + Double($1.bytes) } / count,
            time: messages.reduce(0) { $0 + $1.time } / count
        )
        var (spread, slope) = (0.0, 0.0)
        for message in messages {
            spread += (Double(message.bytes) - mean.bytes) * (Double(message.bytes) - mean.bytes)
            slope += (Double(message.bytes) - mean.bytes) * (message.time - mean.time)
        }
        slope = spread > 0 ? max(0, slope / spread) : 0
        // What a straight line would give a message without bytes, but never less than nothing.
        let latency = max(0, messages.count == 1 ? first.time : mean.time - slope * mean.bytes)
        self.init(latency: latency, bandwidth: slope > 0 ? 1 / slope : .infinity)
    }
}
