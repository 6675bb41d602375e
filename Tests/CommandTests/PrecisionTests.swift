import Foundation
import Numerics
import TestSupport
import Testing

/// `model.precision = bf16`: other numbers than float32, near them, and the same ones in every layout.
@Suite struct PrecisionTests {
    private func losses(_ space: Workspace) throws -> [Double] {
        try String(contentsOfFile: space.path + "/run/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).loss
        }
    }

    private struct Line: Decodable {
        let loss: Double
    }

    @Test(
        .enabled(if: Precision.bf16.isSupported, "this CPU has no bfloat16 instructions"),
        arguments: ["gecko", "llama", "megalodon", "mega", "mega whole, laplace"])
    func bfloat16TrainsNearFloat32AndToTheSameBitsInEveryLayout(_ model: String) async throws {
        let space = try Workspace(model)
        let steps = ["--training.steps", "20"]
        let single = try #require(try await space.train(steps).digest)
        let expected = try losses(space)
        let half = steps + ["--model.precision", "bf16"]
        let digest = try #require(try await space.train(half).digest)
        #expect(digest != single)
        let found = try losses(space)
        #expect(found.count == expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a / b - 1) < 0.01, "\(a) for \(b)") }
        let layouts: [(overrides: [String], ranks: Int)] = [
            (["--pipeline.stages", "2", "--pipeline.schedule", "zb-h1"], 0), (["--machine.threads", "2"], 0),
            (["--pipeline.recompute", "true"], 2),
        ]
        for layout in layouts {
            let outcome = try await space.train(half + layout.overrides, ranks: layout.ranks)
            #expect(outcome.digest == digest, "\(layout): \(outcome.output)")
        }
    }

    @Test(.enabled(if: !Precision.bf16.isSupported, "this CPU has bfloat16 instructions"))
    func aCPUWithoutBfloat16SaysSoAndComputesInFloat32() async throws {
        let space = try Workspace()
        let single = try #require(try await space.train().digest)
        let outcome = try await space.train(["--model.precision", "bf16"])
        #expect(outcome.digest == single)
        #expect(outcome.output.contains("needs a CPU with AVX512-BF16"), "\(outcome.output)")
    }
}
