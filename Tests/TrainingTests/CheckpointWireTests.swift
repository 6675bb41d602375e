import Checkpoints
import Hardware
import MPI
import TestSupport
import Testing
import Training

/// What ranks tell each other about checkpoints.
@Suite struct CheckpointWireTests {
    @Test func `values come out as they went in, and damaged ones are refused`() throws {
        #expect(try faultsOnTheWay(ResumeProposal.nothing(hasDamage: true)) == [])
        #expect(try faultsOnTheWay(ResumeProposal.nothing(hasDamage: false)) == [])
        #expect(try faultsOnTheWay(ResumeProposal.candidate(.init(step: 1 << 53 + 1, level: .local))) == [])
        let run = Manifest.Run(id: "0123", directory: "/a \u{0} b")
        #expect(try faultsOnTheWay(CheckpointOwner(run: run, replaced: ["", "4567"])) == [])
        #expect(try faultsOnTheWay(CheckpointOwner(run: nil)) == [])
        let sha256 = String(repeating: "0a", count: 32)
        #expect(try faultsOnTheWay([Manifest.File(name: "rank-0.safetensors", rank: 0, size: 7, sha256: sha256)]) == [])
        #expect(try faultsOnTheWay(TakenCore(core: 3, share: 0.5)) == [])
    }

    @Test func `a level that isn't one is named`() {
        var writer = WireWriter()
        5.write(to: &writer)
        let error = #expect(throws: WireError.self) { try CheckpointLevel(wireBytes: writer.bytes, from: "rank 1") }
        #expect(error?.description.contains("expected a checkpoint's level at byte 0, found 5") == true)
    }
}
