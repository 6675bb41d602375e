import Hardware
import Kernels
import MPI
import Numerics
import Pipeline
import Verification

/// Looks at every node, core and link before a training does, and brings all that was found to every rank.
package struct Preflight {
    /// What to look at, and how.
    package struct Settings: Sendable {
        /// The folder that all nodes should share.
        package var folder: String
        /// Golden data; nil for none.
        package var golden: String?
        /// One rank after the other, for nodes that share cores.
        package var inTurn: Bool

        package init(folder: String, golden: String?, inTurn: Bool) {
            self.folder = folder
            self.golden = golden
            self.inTurn = inTurn
        }
    }

    package let nodes: [NodeFacts]
    package let links: [LinkFacts]

    /// All ranks call it; takes some seconds.
    package init(_ world: MPIWorld, _ settings: Settings) throws {
        let topology = try Topology()
        let placement = try CorePlacement.agree(in: world, topology: topology, threads: 0)
        world.isOversubscribed = placement.oversubscribed
        let team = try placement.makeTeam(topology)
        defer { team.stop() }
        var facts = NodeFacts(
            rank: world.rank, node: world.hostName, nodeCores: topology.machine.cores,
            memory: Double(topology.machine.memoryBytes), freeMemory: Double(ProcessMemory.available ?? 0))
        facts.processor = topology.machine.processor
        facts.cpuLevel = KernelTable.best.level
        if let quota = placement.quota, quota.cores < Double(topology.usableCores.count) {
            (facts.quotaCores, facts.quotaFile) = (quota.cores, quota.file)
        }
        facts.folderProblem = try SharedFolder(path: settings.folder, world: world).check()
        if let golden = settings.golden { Self.verify(golden, &facts) }
        facts.bits = Bits.digest()
        let witness = Witness()
        let second = Result { try MatrixEngine.openblas.products(on: team) }
        if case .failure(let error) = second { facts.witnessProblem = "\(error)" }
        try world.barrier()
        func measure() {
            let begin = CoreUse.now()
            facts.cores = CoreSpeeds.measure(team, cores: placement.cores)
            facts.throttled = CoreUse.now().throttled(since: begin)
            facts.memoryBandwidth = MemorySpeed.measure(team)
            let testimonies = witness.hear(
                team, cores: placement.cores, rank: world.rank, second: try? second.get())
            for (i, testimony) in testimonies.enumerated() {
                facts.cores[i].deviation = facts.witnessProblem == nil ? testimony.deviation : nil
                facts.cores[i].productBits = String(testimony.digest, radix: 16)
            }
        }
        if settings.inTurn { try Turns.take(world, measure) } else { measure() }
        try world.barrier()
        (facts.clockOffset, facts.clockError) = try WallClock.compare(world)
        let own = try Neighbours(world: world).measure()
        nodes = try world.allGather(facts)
        links = try world.allGather(own).flatMap { $0 }
    }

    private static func verify(_ directory: String, _ facts: inout NodeFacts) {
        var (cases, failures) = (0, [String]())
        do {
            try Verifier(team: Team()).run(directory: directory) { report in
                cases += 1
                guard !report.passed else { return }
                let reason = report.failure ?? "\(report.tensor) deviates by \(report.deviation)"
                failures.append("\(report.file) \(report.name): \(reason)")
            }
        } catch {
            failures.append("\(error)")
        }
        facts.goldenCases = cases
        facts.goldenFailures = failures
    }
}
