import Foundation
import TestSupport
import Testing

/// `gecko simulate` as scripts use it.
@Suite(.serialized) struct SimulateTests {
    private func simulate(_ arguments: [String]) async throws -> Mpirun.Outcome {
        try await Mpirun.run("gecko", ["simulate"] + arguments, ranks: 0)
    }

    private func json(_ arguments: [String]) async throws -> [String: Any] {
        let outcome = try await simulate(arguments + ["--json"])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    /// A model of arXiv 2401.10241 with 8 stages: sequences, milliseconds of F, B, W and a message, bubbles of ZB-1p and ZB-2p.
    @Test(arguments: [
        (24, 18.522, 18.086, 9.337, 0.601, 0.1585, 0.0433), (32, 18.513, 18.086, 9.331, 0.626, 0.1242, 0.0039),
        (64, 18.546, 18.097, 9.321, 0.762, 0.0674, 0.0026), (24, 29.718, 29.444, 19.927, 0.527, 0.1323, 0.0029),
        (32, 29.802, 29.428, 19.530, 0.577, 0.1045, 0.0022), (64, 29.935, 29.621, 19.388, 0.535, 0.0554, 0.0010),
    ])
    func autoReachesThePublishedBubbles(
        sequences: Int, forward: Double, input: Double, weight: Double, message: Double, one: Double, two: Double
    ) async throws {
        for (cap, published) in [("8", one), ("16", two), ("2x", two)] {
            let found = try await json([
                "--stages", "8", "--sequences", "\(sequences)", "--slices", "1", "--schedule", "auto", "--cap", cap,
                "--forward", "\(forward)", "--backward-input", "\(input)", "--backward-weight", "\(weight)",
                "--message",
                "\(message)",
            ])
            let bubble = try #require(found["bubble"] as? Double)
            let peaks = try #require(found["peak_units"] as? [Double])
            #expect(abs(bubble - published) < 0.003)
            #expect(peaks.count == 8 && peaks.allSatisfy { $0 <= (Double(cap) ?? 16) })
            #expect(found["makespan"] is Double && (found["bubble_per_rank"] as? [Double])?.count == 8)
        }
    }

    @Test func aCapInBytesIsTheSameCap() async throws {
        let shape = ["--stages", "4", "--sequences", "8", "--schedule", "auto", "--unit-bytes", "1MiB"]
        let units = try await json(shape + ["--cap", "8"])
        let bytes = try await json(shape + ["--cap", "8MiB"])
        #expect(units["makespan"] as? Double == bytes["makespan"] as? Double)
        #expect((bytes["peak_bytes"] as? [Double])?.allSatisfy { $0 <= 8 * 1_048_576 } ?? false)
    }

    @Test func theMeasureOfPeaksIsSaid() async throws {
        let split = try await simulate(["--schedule", "zb-h1", "--no-draw"])
        #expect(
            split.output.contains("units count 1 from forward to input gradient, 0.4 from there to weight gradient"))
        let whole = try await simulate(["--schedule", "zb-h1", "--no-draw", "--weight-share", "1"])
        #expect(!whole.output.contains("units count"))
        let help = try await simulate(["--help"])
        #expect(help.output.contains("--weight-share") && help.output.contains("zero-bubble"))
    }

    @Test(arguments: [
        (["--stages", "0"], "at least 1"), (["--sequences", "0"], "sequences"), (["--slices", "-1"], "slices"),
        (["--stages", "1000000000", "--sequences", "1000000"], "table"),
        (["--schedule", "2f2b"], "no schedule '2f2b'"),
        (["--schedule", "/tmp"], "expected a text file"),
        (["--schedule", "/proc/self/exe"], "expected a text file"), (["--cap", "lots"], "cap in units"),
        (["--cap", "0.5", "--schedule", "auto"], "needs at least 1"),
        (["--cap", "1GiB", "--schedule", "auto"], "unit_bytes"), (["--weight-share", "2"], "--weight-share"),
        (["--forward", "inf"], "--forward"), (["--forward", "nan"], "--forward"), (["--slow", "9:2"], "rank in 0..<4"),
        (["--slow", "x"], "RANK:FACTOR"), (["--nodes", "0,1"], "4 node numbers"), (["--link", "0:1"], "NODE-NODE"),
        (["--network", "fast"], "latency,bandwidth"), (["--costs", "/nowhere.json"], "cannot read"),
        (["--virtual", "3", "--schedule", "zbv"], "2 stages a rank"), (["--against", "/nowhere"], "cannot read"),
        (["--svg", "/nowhere/at/all.svg"], "cannot write"),
    ])
    func whatCannotBeIsRefused(arguments: [String], words: String) async throws {
        let outcome = try await simulate(arguments)
        #expect(outcome.exitCode != 0 && outcome.exitCode < 128)
        #expect(outcome.output.contains(words), "\(outcome.output)")
    }
}
