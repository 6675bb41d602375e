import Figures
import Hardware
import Simulation

/// What was measured, node by node and link by link, and what is wrong.
package struct HealthReport {
    package let diagnosis: Diagnosis
    private let nodes: [NodeFacts]
    private let links: [LinkFacts]

    /// Lines of a table at most; of more, the first ones and those with findings are shown.
    private static let lines = 40

    package init(nodes: [NodeFacts], links: [LinkFacts], tolerance: Tolerance) {
        self.nodes = nodes
        self.links = links
        diagnosis = Diagnosis(nodes: nodes, links: links, tolerance: tolerance)
    }

    package var text: String {
        let names = Set(nodes.map(\.node)).count
        var text = "\(names) node(s), \(nodes.count) rank(s), \(nodes.flatMap(\.cores).count) cores at work\n\n"
        text += nodeTable + "\n"
        if !links.isEmpty { text += linkTable + "\n" }
        text += checks + "\n"
        guard !diagnosis.findings.isEmpty else { return text + "All is well.\n" }
        for finding in diagnosis.findings { text += (finding.node.map { "\($0): " } ?? "") + finding.text + ".\n" }
        let count = diagnosis.findings.count
        text += "\n\(count) finding\(count == 1 ? "" : "s")."
        let nodes = diagnosis.nodes
        // Something that all nodes have is no reason to leave any out.
        if !nodes.isEmpty, nodes.count < names {
            text += " To train without: --exclude=\(nodes.joined(separator: ","))"
        }
        return text + "\n"
    }

    private var nodeTable: String {
        var table = TextTable([
            "node", "rank", "kernels", "cores", "GFLOP/s a core", "taken", "copies", "memory", "free", "clock",
        ])
        let shown = shown(nodes) { facts in diagnosis.findings.contains { $0.node == facts.node } }
        for facts in shown {
            let speeds = facts.cores.map(\.gflops)
            let (low, high) = (speeds.min() ?? 0, speeds.max() ?? 0)
            let speed = low.brief == high.brief ? low.brief : "\(low.brief) - \(high.brief)"
            let offset =
                facts.rank == 0 ? "0" : (facts.clockOffset >= 0 ? "+" : "-") + abs(facts.clockOffset).asMilliseconds
            table.add([
                facts.node, "\(facts.rank)", levelName(facts.cpuLevel), "\(facts.cores.count)", speed,
                (facts.cores.map(\.taken).max() ?? 0).asWholePercentage, "\((facts.memoryBandwidth / 1e9).brief) GB/s",
                facts.memory.asGibibytes, facts.freeMemory.asGibibytes, offset,
            ])
        }
        return table.text + rest(nodes.count, shown.count)
    }

    private var linkTable: String {
        let names = Dictionary(nodes.map { ($0.rank, $0.node) }) { first, _ in first }
        func name(_ rank: Int) -> String { "\(names[rank] ?? "?") (\(rank))" }
        let bandwidth = links.map(\.bandwidth).upperQuartile
        let latency = links.map(\.latency).lowerQuartile
        var table = TextTable(["link from (rank)", "to (rank)", "latency", "bandwidth"])
        let shown = shown(links) { $0.bandwidth < bandwidth / 2 || $0.latency > 2 * latency }
        for link in shown {
            table.add([name(link.from), name(link.to), link.latency.asMicroseconds, link.bandwidth.asBitRate])
        }
        return table.text + rest(links.count, shown.count)
    }

    private var checks: String {
        let folders = nodes.filter { $0.folderProblem == nil }.count
        var text = "shared folder: \(folders) of \(nodes.count) ranks write there and see each other's files\n"
        if let cases = nodes.compactMap(\.goldenCases).max() {
            let right = nodes.filter { $0.goldenFailures.isEmpty }.count
            text += "golden data: \(right) of \(nodes.count) ranks get all of \(cases) cases right\n"
        } else {
            text += "golden data: not checked (give --golden DIRECTORY)\n"
        }
        text += products
        let same = nodes.filter { $0.bits == nodes.map(\.bits).mostFrequent }.count
        text += "bits: \(same) of \(nodes.count) ranks compute the same\n"
        return text
    }

    /// What the two engines say of each other's products.
    private var products: String {
        let cores = nodes.flatMap(\.cores)
        let compared = cores.compactMap(\.deviation)
        var text = ""
        if !compared.isEmpty {
            let right = compared.filter { $0 <= 1 }.count
            let most = compared.max() ?? 0
            let share = most <= 1 ? ", by \(most.asWholePercentage) of it at the most" : ""
            text +=
                "products: on \(right) of \(compared.count) cores tiles and OpenBLAS differ within rounding\(share)\n"
        }
        if let facts = nodes.first(where: { $0.witnessProblem != nil }), let problem = facts.witnessProblem {
            text +=
                "products: not compared with OpenBLAS on \(cores.count - compared.count) of \(cores.count) cores; on "
                + "\(facts.node): \(problem)\n"
        }
        return text
    }

    /// All, or the first ones and the peculiar ones.
    private func shown<Item>(_ items: [Item], _ isPeculiar: (Item) -> Bool) -> [Item] {
        guard items.count > Self.lines else { return items }
        let first = items.prefix(Self.lines / 2)
        return Array(first) + items.dropFirst(first.count).filter(isPeculiar).prefix(Self.lines / 2)
    }

    private func rest(_ all: Int, _ shown: Int) -> String { all > shown ? "... and \(all - shown) more\n" : "" }
}
