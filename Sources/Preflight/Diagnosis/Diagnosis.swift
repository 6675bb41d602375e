import Figures
import Hardware

/// Finds the node or the link that is slow, broken or unlike the others. Pure: figures in, sentences out.
package struct Diagnosis: Sendable {
    package let findings: [Finding]

    package init(nodes: [NodeFacts], links: [LinkFacts], tolerance: Tolerance = Tolerance()) {
        findings =
            Self.surroundings(nodes, tolerance) + Self.cores(nodes, tolerance) + Self.taken(nodes, tolerance)
            + Self.memory(nodes, tolerance) + Self.differences(nodes) + Self.arithmetic(nodes) + Self.products(nodes)
            + LinkDiagnosis(nodes: nodes, links: links, tolerance: tolerance).findings
    }

    /// Nodes to leave out, in their order.
    package var nodes: [String] {
        var nodes: [String] = []
        for case let node? in findings.map(\.node) where !nodes.contains(node) { nodes.append(node) }
        return nodes
    }

    private static func cores(_ nodes: [NodeFacts], _ tolerance: Tolerance) -> [Finding] {
        let usual = nodes.flatMap { $0.cores.map(\.gflops) }.upperQuartile
        return nodes.compactMap { facts in
            let slow = facts.cores.filter { $0.gflops < (1 - tolerance.speed) * usual }
            guard let worst = slow.min(by: { $0.gflops < $1.gflops }) else { return nil }
            let cause =
                facts.isShortOfTime
                ? "the limit on the processors' time (above) is the likeliest cause"
                : worst.taken > 0.05
                    ? takers(worst, facts)
                    : "nothing else ran on it: look at its clock, temperature and power limit"
            let which = slow.count == facts.cores.count ? "all \(slow.count)" : "\(slow.count) of \(facts.cores.count)"
            return Finding(
                facts.node,
                "\(which) core(s) of rank \(facts.rank) are slow: core \(worst.number) does \(worst.gflops.brief) "
                    + "GFLOP/s where the better cores here do \(usual.brief), and \(cause)")
        }
    }

    /// Cores that are fast while they have their turn, but have to share it.
    private static func taken(_ nodes: [NodeFacts], _ tolerance: Tolerance) -> [Finding] {
        let usual = nodes.flatMap { $0.cores.map(\.gflops) }.upperQuartile
        return nodes.flatMap { facts in
            facts.cores.compactMap { core in
                // Ranks of this very check that share a core each wait for the others.
                let ranks = nodes.count { $0.node == facts.node && $0.cores.contains { $0.number == core.number } }
                let own = 1 - 1 / Double(max(1, ranks))
                // A slow one was named with its cause.
                guard core.taken - own >= tolerance.speed, core.gflops >= (1 - tolerance.speed) * usual else {
                    return nil
                }
                return Finding(facts.node, "core \(core.number) of rank \(facts.rank): \(takers(core, facts))")
            }
        }
    }

    private static func takers(_ core: NodeFacts.Core, _ facts: NodeFacts) -> String {
        if facts.throttled > 0.05 {
            return
                """
                it stood still for \(core.taken.asWholePercentage) of the time: the CPU quota of this process' control \
                group (cpu.max, cpu.cfs_quota_us) is used up
                """
        }
        return
            """
            other programs had it for \(core.taken.asWholePercentage) of the time: look for them (top, another job, a \
            rank bound to the same core)
            """
    }

    private static func memory(_ nodes: [NodeFacts], _ tolerance: Tolerance) -> [Finding] {
        let size = nodes.map(\.memory).upperQuartile
        // A rank of more cores copies faster, up to what the node can do.
        let speeds = Dictionary(grouping: nodes) { $0.cores.count }.mapValues {
            $0.map(\.memoryBandwidth).upperQuartile
        }
        var findings: [Finding] = []
        var seen: Set<String> = []
        for facts in nodes {
            if let usual = speeds[facts.cores.count], facts.memoryBandwidth < (1 - 2 * tolerance.speed) * usual {
                findings.append(
                    Finding(
                        facts.node,
                        "memory is slow: rank \(facts.rank) copies \((facts.memoryBandwidth / 1e9).brief) GB/s where "
                            + "others do \((usual / 1e9).brief): "
                            + "look for a missing memory module or for other programs"))
            }
            guard seen.insert(facts.node).inserted else { continue }
            if facts.memory < 0.95 * size {
                findings.append(
                    Finding(
                        facts.node, "has \(facts.memory.asGibibytes) of memory where others have \(size.asGibibytes)")
                )
            }
            if facts.freeMemory > 0, facts.freeMemory < (1 - tolerance.memoryInUse) * facts.memory {
                findings.append(
                    Finding(
                        facts.node,
                        """
                        only \(facts.freeMemory.asGibibytes) of \(facts.memory.asGibibytes) of memory are free: \
                        another program, or files in memory (/dev/shm), hold the rest
                        """
                    ))
            }
        }
        return findings
    }

    private static func differences(_ nodes: [NodeFacts]) -> [Finding] {
        let level = nodes.map(\.cpuLevel).mostFrequent
        let cores = nodes.map(\.nodeCores).mostFrequent
        var seen: Set<String> = []
        return nodes.filter { seen.insert($0.node).inserted }.flatMap { facts in
            var findings: [Finding] = []
            if let level, facts.cpuLevel != level {
                findings.append(
                    Finding(
                        facts.node,
                        """
                        runs \(levelName(facts.cpuLevel)) kernels where most nodes run \(levelName(level)) \
                        (\(facts.processor))
                        """
                    ))
            }
            if let cores, facts.nodeCores != cores {
                findings.append(Finding(facts.node, "has \(facts.nodeCores) cores where most nodes have \(cores)"))
            }
            return findings
        }
    }

    private static func arithmetic(_ nodes: [NodeFacts]) -> [Finding] {
        let bits = nodes.map(\.bits).mostFrequent
        return nodes.flatMap { facts in
            var findings: [Finding] = []
            if let bits, facts.bits != bits {
                findings.append(
                    Finding(
                        facts.node,
                        "rank \(facts.rank) computes other bits than most ranks (\(facts.bits), they \(bits)): another "
                            + "kind of CPU. Runs would depend on which node does what"))
            }
            if let first = facts.goldenFailures.first {
                let more = facts.goldenFailures.count > 1 ? ", and \(facts.goldenFailures.count - 1) more" : ""
                findings.append(
                    Finding(facts.node, "rank \(facts.rank) gets wrong results for golden data: \(first)\(more)"))
            }
            return findings
        }
    }

    /// Cores that multiply wrongly, by what the two engines and the other cores say.
    private static func products(_ nodes: [NodeFacts]) -> [Finding] {
        nodes.flatMap { facts in
            let off = facts.cores.filter { ($0.deviation ?? 0) > 1 }
            if off.count == facts.cores.count, off.count > 1, Set(off.map(\.productBits)).count == 1 {
                return [
                    Finding(
                        facts.node,
                        "tiles and OpenBLAS multiply differently on all \(off.count) cores of rank \(facts.rank), by "
                            + "\(times(off)) what rounding "
                            + "explains, and each the same everywhere: one of the two is broken here. Look at the "
                            + "OpenBLAS that is installed"
                    )
                ]
            }
            var findings = off.map { core in
                Finding(
                    facts.node,
                    "core \(core.number) of rank \(facts.rank) multiplies wrongly: the same products by tiles and by "
                        + "OpenBLAS differ by "
                        + "\(times([core])) what rounding explains. Leave the core out, and have its machine checked")
            }
            // A difference too small for that shows in the bits, which the same instructions give on all cores.
            let usual = facts.cores.map(\.productBits).mostFrequent
            for core in facts.cores where core.productBits != usual && !((core.deviation ?? 0) > 1) {
                findings.append(
                    Finding(
                        facts.node,
                        "core \(core.number) of rank \(facts.rank) gets other bits for the same products than the "
                            + "other cores: it multiplies wrongly, or is of another kind. Have its machine checked"))
            }
            return findings
        }
    }

    private static func times(_ cores: [NodeFacts.Core]) -> String {
        let most = cores.compactMap(\.deviation).max() ?? 0
        return most < 1e9 ? "\(most.brief) times" : "any multiple of"
    }

    private static func surroundings(_ nodes: [NodeFacts], _ tolerance: Tolerance) -> [Finding] {
        var seen: Set<String> = []
        var quotas: Set<String> = []
        return nodes.flatMap { facts in
            var findings: [Finding] = []
            if let cores = facts.quotaCores, let file = facts.quotaFile, quotas.insert(facts.node).inserted {
                findings.append(
                    Finding(
                        facts.node,
                        "the processors' time is limited to \(cores.brief) core(s) by \(file) (a container, a job): "
                            + "threads that want more stand still, so start no more of them, or ask for more"))
            }
            if let problem = facts.folderProblem {
                findings.append(Finding(facts.node, "rank \(facts.rank) and the shared folder: \(problem)"))
            }
            if abs(facts.clockOffset) - facts.clockError > tolerance.clock, seen.insert(facts.node).inserted {
                let side = facts.clockOffset > 0 ? "ahead of" : "behind"
                findings.append(
                    Finding(
                        facts.node,
                        """
                        its clock is \(abs(facts.clockOffset).asMilliseconds) \(side) rank 0's: let NTP or chrony \
                        set it
                        """
                    ))
            }
            return findings
        }
    }
}

func levelName(_ level: Int) -> String {
    switch level {
    case 5: "AVX-512 BF16"
    case 4: "AVX-512"
    case 3: "AVX2"
    default: "baseline"
    }
}
