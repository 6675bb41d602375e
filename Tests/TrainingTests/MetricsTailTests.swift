import Foundation
import Testing
import Training

/// The last steps, from a file's end alone.
@Suite struct MetricsTailTests {
    @Test func `the last steps and the last evaluation are found, and no more than the end is read`() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("metrics.jsonl")
        #expect(throws: (any Error).self) { try MetricsTail(path) }
        let lines = (1...400).map { step in
            StepMetrics(
                step: step, loss: 2, tokensPerSecond: 1, gradientNorm: 1, learningRate: 1, utilisation: 0, idle: 0,
                seconds: 1, tokens: step, skipped: 0, heldOutLoss: step % 150 == 0 ? 3 : nil
            ).json + "\n"
        }
        _ = try folder.write("metrics.jsonl", (lines.joined() + "{\"step\":401,").utf8)
        let tail = try MetricsTail(path, count: 3)
        #expect(tail.recent.map(\.step) == [398, 399, 400])
        #expect(tail.heldOut?.step == 300)
        // Without its last line break the last line is whole all the same.
        _ = try folder.write("metrics.jsonl", lines.joined().dropLast().utf8)
        #expect(try MetricsTail(path, count: 1).recent.map(\.step) == [400])
    }

    @Test func `what is no file of lines holds no steps`() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("empty", "".utf8)
        #expect(try MetricsTail(folder.file("empty")).recent.isEmpty)
        _ = try folder.write("rubbish", [0, 255, 10, 10, 13, 123])
        #expect(try MetricsTail(folder.file("rubbish")).recent.isEmpty)
        #expect(try MetricsTail(folder.path).recent.isEmpty)
        // Nobody writes into it: opening must not wait.
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(try MetricsTail(folder.file("pipe")).recent.isEmpty)
    }
}
