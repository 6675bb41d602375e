import Figures

/// Finds slow links, and the node whose links are all slow. Bandwidth and latency are judged apart: each names its own
/// culprit.
struct LinkDiagnosis {
    let findings: [Finding]

    private struct Slow {
        let link: LinkFacts
        let text: String
    }

    init(nodes: [NodeFacts], links: [LinkFacts], tolerance: Tolerance) {
        let names = Dictionary(nodes.map { ($0.rank, $0.node) }) { first, _ in first }
        func isWithin(_ link: LinkFacts) -> Bool { names[link.from] == names[link.to] }
        let (within, between) = (links.filter(isWithin), links.filter { !isWithin($0) })
        var findings: [Finding] = []
        for slow in Self.bandwidths(within, tolerance, nil) + Self.latencies(within, tolerance, nil) {
            findings.append(
                Finding(
                    names[slow.link.from],
                    "messages from rank \(slow.link.from) to rank \(slow.link.to) on it: \(slow.text)"))
        }
        for slow in [
            Self.bandwidths(between, tolerance, tolerance.expectedBandwidth),
            Self.latencies(between, tolerance, tolerance.expectedLatency),
        ] {
            findings += Self.blame(slow, among: between, names)
        }
        self.findings = findings
    }

    private static func pair(_ link: LinkFacts, _ names: [Int: String]) -> Set<String> {
        Set([names[link.from] ?? "rank \(link.from)", names[link.to] ?? "rank \(link.to)"])
    }

    /// A node is to blame when it is slow with every partner, and there are links without it that are not; else the
    /// link is.
    private static func blame(_ slow: [Slow], among links: [LinkFacts], _ names: [Int: String]) -> [Finding] {
        let pairs = Set(links.map { pair($0, names) })
        let slowPairs = Set(slow.map { pair($0.link, names) })
        var findings: [Finding] = []
        var explained: Set<Set<String>> = []
        for node in Set(pairs.joined()).sorted() where pairs.count > slowPairs.count {
            let partners = pairs.filter { $0.contains(node) }
            guard partners.count > 1, partners.isSubset(of: slowPairs),
                let example = slow.first(where: { pair($0.link, names).contains(node) })
            else { continue }
            findings.append(
                Finding(
                    node,
                    """
                    all its links are slow, such as \(title(example.link, names)): \(example.text). Look at its \
                    cable, its port, its network card
                    """
                ))
            explained.formUnion(partners)
        }
        for slow in slow where explained.insert(pair(slow.link, names)).inserted {
            findings.append(Finding(nil, "the link from \(title(slow.link, names)) is slow: \(slow.text)"))
        }
        return findings
    }

    private static func title(_ link: LinkFacts, _ names: [Int: String]) -> String {
        "\(names[link.from] ?? "rank \(link.from)") to \(names[link.to] ?? "rank \(link.to)")"
    }

    private static func bandwidths(_ links: [LinkFacts], _ tolerance: Tolerance, _ expected: Double?) -> [Slow] {
        let usual = expected ?? links.map(\.bandwidth).upperQuartile
        return links.filter { $0.bandwidth * tolerance.link < usual }.map { link in
            let others = expected == nil ? "others carry" : "expected are"
            return Slow(link: link, text: "\(link.bandwidth.asBitRate) where \(others) \(usual.asBitRate)")
        }
    }

    private static func latencies(_ links: [LinkFacts], _ tolerance: Tolerance, _ expected: Double?) -> [Slow] {
        let usual = expected ?? links.map(\.latency).lowerQuartile
        return links.filter { $0.latency > tolerance.link * usual && $0.latency > usual + tolerance.latency }.map {
            Slow(
                link: $0,
                text:
                    """
                    \($0.latency.asMicroseconds) for a short message where \
                    \(expected == nil ? "others take" : "expected are") \(usual.asMicroseconds)
                    """
            )
        }
    }
}

/// Bits a second, as networks are named.
