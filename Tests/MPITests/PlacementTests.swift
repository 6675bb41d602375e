import Hardware
import Pipeline
import TestSupport
import Testing

@Suite struct PlacementTests {
    @Test func ranksInOneProcessShareTheCoresEvenly() throws {
        let topology = try Topology()
        let ranks = topology.usableCores.count
        let placements = try CorePlacement.inProcess(ranks: ranks, topology: topology, threads: 1)
        #expect(placements.map(\.cores) == topology.usableCores.map { [$0] })
        #expect(placements.allSatisfy { !$0.oversubscribed && $0.warning == nil })
    }

    @Test func ranksUnderMpirunAgreeOnTheirCores() async throws {
        let cores = try Topology().usableCores.count
        let outcome = try await Mpirun.run("mpi-probe", ["topology"], ranks: 2)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("stage 1"))
        #expect(outcome.output.contains("warning") == (cores < 2))
    }

    @Test func moreRanksThanCoresAreToldToTheUser() async throws {
        let ranks = try Topology().usableCores.count + 1
        try #require(ranks <= 9, "a machine with few cores is needed to oversubscribe it quickly")
        let outcome = try await Mpirun.run("mpi-probe", ["topology"], ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(outcome.output.contains("threads of \(ranks) rank(s) on this node"))
        #expect(!outcome.output.contains("not where they should be"))
    }
}
