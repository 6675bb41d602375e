import Batch
import Foundation
import Testing

/// Slurm's programs, asked.
@Suite struct SlurmCommandTests {
    /// More than a pipe holds on either side, in turns.
    @Test func muchIsReadFromBothSides() throws {
        let script = "for i in 1 2 3; do head -c 200000 /dev/zero >&2; head -c 200000 /dev/zero; done"
        let text = try SlurmCommand.run(["sh", "-c", script], limit: 30)
        #expect(text?.utf8.count == 600_000)
    }

    @Test func whatFailsIsSaid() throws {
        let error = #expect(throws: BatchError.self) {
            try SlurmCommand.run(["sh", "-c", "echo no such thing >&2; exit 3"])
        }
        #expect("\(try #require(error))".hasSuffix("failed: no such thing"))
        #expect(try SlurmCommand.run(["no-such-program-of-slurm"]) == nil)
    }

    @Test func whoGivesNoAnswerIsNotWaitedForForEver() throws {
        let start = ContinuousClock.now
        let error = #expect(throws: BatchError.self) { try SlurmCommand.run(["sleep", "50"], limit: 0.3) }
        #expect("\(try #require(error))".contains("no answer"))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    /// A daemon that the program left behind has the pipes still.
    @Test func aChildThatStaysIsNotWaitedFor() throws {
        let start = ContinuousClock.now
        #expect(try SlurmCommand.run(["sh", "-c", "sleep 25 & echo done"]) == "done\n")
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
