import Preflight
import Testing

/// Figures in, the right node named, and nobody else.
@Suite struct DiagnosisTests {
    /// Four equal nodes of two cores.
    private static func nodes(_ change: (inout [NodeFacts]) -> Void = { _ in }) -> [NodeFacts] {
        var nodes = (0..<4).map { rank in
            var facts = NodeFacts(rank: rank, node: "n\(rank + 1)", nodeCores: 2, memory: 64e9, freeMemory: 60e9)
            facts.cores = (0..<2).map { NodeFacts.Core(number: $0, gflops: 100 + Double(rank), taken: 0.01) }
            facts.memoryBandwidth = 20e9
            facts.clockOffset = 0.001
            facts.clockError = 0.0001
            facts.bits = "c0ffee"
            facts.goldenCases = 67
            return facts
        }
        change(&nodes)
        return nodes
    }

    /// A ring, both ways.
    private static func links(
        _ count: Int = 4, _ change: (inout LinkFacts) -> Void = { _ in }
    ) -> [LinkFacts] {
        (0..<count).flatMap { rank in
            [(rank, (rank + 1) % count), ((rank + 1) % count, rank)].map { from, to in
                var link = LinkFacts(from: from, to: to, latency: 20e-6, bandwidth: 3e9)
                change(&link)
                return link
            }
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let words: [String]
        let change: @Sendable (inout [NodeFacts]) -> Void
        var testDescription: String { words[0] }
    }

    @Test func equalNodesAreWell() {
        #expect(Diagnosis(nodes: Self.nodes(), links: Self.links()).findings.isEmpty)
    }

    @Test(arguments: [
        Fault(words: ["core 1 does 48 GFLOP/s", "other programs had it for 51 %"]) { nodes in
            nodes[2].cores[1].gflops = 48
            nodes[2].cores[1].taken = 0.51
        },
        Fault(words: ["all 2 core(s)", "temperature"]) { nodes in
            for core in 0..<2 { nodes[2].cores[core].gflops = 70 }
        },
        Fault(words: ["core 1 of rank 2", "other programs had it for 79 %"]) { $0[2].cores[1].taken = 0.79 },
        Fault(words: ["core 0 of rank 2", "stood still for 50 %", "quota"]) { nodes in
            nodes[2].cores[0].taken = 0.5
            nodes[2].throttled = 0.5
        },
        Fault(words: ["memory is slow", "9 GB/s", "others do 20"]) { $0[2].memoryBandwidth = 9e9 },
        Fault(words: ["of memory where others have"]) { $0[2].memory = 32e9 },
        Fault(words: ["are free"]) { $0[2].freeMemory = 10e9 },
        Fault(words: ["baseline kernels", "AVX2"]) { $0[2].cpuLevel = 0 },
        Fault(words: ["has 1 cores where most nodes have 2"]) { $0[2].nodeCores = 1 },
        Fault(words: ["core 1 of rank 2 multiplies wrongly", "5000 times what rounding"]) {
            $0[2].cores[1].deviation = 5000
            $0[2].cores[1].productBits = "bad"
        },
        Fault(words: ["on all 2 cores of rank 2", "OpenBLAS that is installed"]) { nodes in
            for core in 0..<2 { nodes[2].cores[core].deviation = 7e12 }
        },
        Fault(words: ["core 1 of rank 2 gets other bits"]) { $0[2].cores[1].productBits = "bad" },
        Fault(words: ["computes other bits"]) { $0[2].bits = "0ff" },
        Fault(words: ["golden data", "op_norms rms: deviates", "1 more"]) {
            $0[2].goldenFailures = ["op_norms rms: deviates", "layer a: deviates"]
        },
        Fault(words: ["shared folder", "cannot write"]) { $0[2].folderProblem = "it cannot write there" },
        Fault(words: ["clock is 2.5 s behind"]) { $0[2].clockOffset = -2.5 },
    ])
    func aFaultIsNamedWithItsNode(_ fault: Fault) throws {
        let diagnosis = Diagnosis(nodes: Self.nodes(fault.change), links: Self.links())
        #expect(diagnosis.findings.count == 1)
        let finding = try #require(diagnosis.findings.first)
        #expect(finding.node == "n3")
        for word in fault.words { #expect(finding.text.contains(word), "\(finding.text)") }
        #expect(diagnosis.nodes == ["n3"])
    }

    @Test func aNodeWhoseLinksAreAllSlowIsToBlame() {
        let links = Self.links { if $0.from == 1 || $0.to == 1 { $0.bandwidth = 0.1e9 } }
        let findings = Diagnosis(nodes: Self.nodes(), links: links).findings
        #expect(findings.map(\.node) == ["n2"])
        #expect(findings[0].text.contains("800 Mbit/s where others carry 24 Gbit/s"))
    }

    @Test func aSlowLinkOfTwoGoodNodesIsNamedOnce() {
        let links = Self.links { if $0.from + $0.to == 3, abs($0.from - $0.to) == 1 { $0.latency = 200e-6 } }
        let findings = Diagnosis(nodes: Self.nodes(), links: links).findings
        #expect(findings.map(\.node) == [nil])
        #expect(findings[0].text.contains("n2 to n3"))
        #expect(findings[0].text.contains("200 us"))
    }

    @Test func linksThatAreAllSlowNeedAnExpectation() {
        let links = Self.links { $0.bandwidth = 0.1e9 }
        #expect(Diagnosis(nodes: Self.nodes(), links: links).findings.isEmpty)
        var tolerance = Tolerance()
        tolerance.expectedBandwidth = 3e9
        #expect(Diagnosis(nodes: Self.nodes(), links: links, tolerance: tolerance).findings.count == 4)
    }

    @Test func oneNodeAloneIsWell() {
        #expect(Diagnosis(nodes: Array(Self.nodes().prefix(1)), links: []).findings.isEmpty)
    }
}
