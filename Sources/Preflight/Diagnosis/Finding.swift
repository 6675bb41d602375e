/// Something that should be mended, or left out, before training.
package struct Finding: Sendable, Equatable {
    /// The node that it is about; nil when it is about several, or about none.
    package var node: String?
    package var text: String

    package init(_ node: String?, _ text: String) {
        self.node = node
        self.text = text
    }
}

/// What counts as wrong.
package struct Tolerance: Sendable {
    /// A core may be slower than the better ones by this share, and other programs may have this share of its time.
    package var speed = 0.15
    /// A link may be slower than the better ones, or than what is expected, by this factor.
    package var link = 2.0
    /// Seconds that latencies may differ by, whatever the factor.
    package var latency = 30e-6
    /// Seconds that clocks may be apart.
    package var clock = 0.1
    /// Share of a node's memory that others may have.
    package var memoryInUse = 0.5
    /// Latency and bandwidth that links between nodes should have; nil to compare them with each other only.
    package var expectedLatency: Double?
    package var expectedBandwidth: Double?

    package init() {}
}

extension [Double] {
    /// What the better quarter reaches, or more; values that are better when larger.
    var upperQuartile: Double { isEmpty ? 0 : sorted()[Int((0.75 * Double(count - 1)).rounded(.up))] }

    /// What the better quarter stays below, or less; values that are better when smaller.
    var lowerQuartile: Double { isEmpty ? 0 : sorted()[Int((0.25 * Double(count - 1)).rounded(.down))] }
}

extension Sequence where Element: Hashable {
    /// The element that occurs most often; of equally frequent ones the first.
    var mostFrequent: Element? {
        var counts: [Element: Int] = [:]
        for element in self { counts[element, default: 0] += 1 }
        let most = counts.values.max()
        return first { counts[$0] == most }
    }
}
