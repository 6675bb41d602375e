import Files
import Foundation
import Testing
import Training

/// `metrics.jsonl` of any length, read in time that doesn't grow with it.
@Suite struct MetricsFileTests {
    private func line(_ step: Int, every: Int = 1000) -> String {
        metrics(step: step, loss: 1 + 1 / Double(step), heldOutLoss: step % every == 0 ? 1.25 : nil).json + "\n"
    }

    private func file(_ folder: TemporaryFolder, _ steps: some Sequence<Int>, tail: String = "") throws -> String {
        try folder.write("metrics.jsonl", (steps.map { line($0) }.joined() + tail).utf8)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test(arguments: [
        "", "{\"step\":", "\n", "{\"step\":", "\u{0}\u{0}\u{0}\n\u{0}", "{}\nnot a line\n{\"step\": 3}\n",
    ])
    func `a run goes on after any step, and what follows goes`(tail: String) throws {
        let folder = try TemporaryFolder()
        for step in [0, 1, 2, 7, 49, 50, 51, 99] {
            let path = try file(folder, 1...50, tail: tail)
            let (writer, kept) = try MetricsWriter.resuming(path, after: step, evaluateEvery: 10)
            #expect(kept.map(\.step) == (step > 0 ? Array(1...min(step, 50)) : []))
            try writer.write(metrics(step: step + 1))
            #expect(
                try text(path) == (step > 0 ? (1...min(step, 50)).map { line($0) }.joined() : "")
                    + metrics(step: step + 1).json + "\n")
        }
    }

    @Test func `a file that isn't there is begun, one that begins late is gone on with`() throws {
        let folder = try TemporaryFolder()
        let (writer, kept) = try MetricsWriter.resuming(folder.file("new.jsonl"), after: 5, evaluateEvery: 0)
        #expect(kept.isEmpty)
        try writer.write(metrics(step: 6))
        let path = try file(folder, 100...200)
        #expect(try MetricsWriter.resuming(path, after: 150, evaluateEvery: 0).1.map(\.step) == Array(100...150))
        #expect(try MetricsWriter.resuming(path, after: 99, evaluateEvery: 0).1.isEmpty)
        #expect(try text(path).isEmpty)
    }

    /// A line that was cut off by a crash may stand in the middle, where a later start went on.
    @Test func `rubbish in the middle hides nothing behind it`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "metrics.jsonl",
            ((1...300).map { line($0) }.joined() + String(repeating: "\u{0}", count: 30_000) + "\n"
                + (301...600).map { line($0) }.joined()).utf8)
        for step in [1, 299, 300, 301, 450, 600] {
            let file = try #require(try MetricsFile(path))
            let expected = try text(path).range(of: line(step)).map { text in
                try self.text(path).utf8.distance(
                    from: self.text(path).startIndex, to: text.upperBound)
            }
            // Behind the step's own line, or behind the rubbish that follows it.
            let end = try file.end(after: step)
            #expect(end == expected || (step == 300 && end > expected ?? 0), "step \(step)")
        }
    }

    @Test func `of a long file a part is read, from all of it`() throws {
        let folder = try TemporaryFolder()
        let path = try file(folder, 1...40_000, tail: "{\"step\":4000")
        let start = ContinuousClock.now
        let (_, kept) = try MetricsWriter.resuming(path, after: 30_000, evaluateEvery: 1000)
        let took = ContinuousClock.now - start
        #expect(kept.last?.step == 30_000 && kept.first?.step == 1)
        #expect((4_000...10_000).contains(kept.count), "\(kept.count)")
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.step < $1.step && $1.step - $0.step < 600 })
        #expect(
            kept.filter { $0.heldOutLoss != nil }.map(\.step) == Array(stride(from: 1000, through: 30_000, by: 1000)))
        let file = try #require(try MetricsFile(path))
        #expect(try file.last(20).map(\.step) == Array(29_981...30_000))
        #expect(try file.lastEvaluation()?.step == 30_000)
        #expect(took < .seconds(20))
    }

    @Test func `the last lines are found behind half a line`() throws {
        let folder = try TemporaryFolder()
        let path = try file(folder, 1...1500, tail: "{\"step\":15")
        let file = try #require(try MetricsFile(path))
        #expect(try file.last(20).map(\.step) == Array(1481...1500))
        #expect(try file.last(5000).count == 1500)
        #expect(try file.lastEvaluation()?.step == 1000)
        #expect(try MetricsFile(folder.file("no")) == nil)
        // Without its last line break the last line is whole all the same.
        _ = try folder.write("metrics.jsonl", (1...40).map { line($0) }.joined().dropLast().utf8)
        #expect(try MetricsFile(path)?.last(1).map(\.step) == [40])
    }

    @Test func `what holds no lines holds no steps, and what is no file is refused`() throws {
        let folder = try TemporaryFolder()
        for (name, bytes) in [("empty", []), ("rubbish", [0, 255, 10, 10, 13, 123])] as [(String, [UInt8])] {
            let file = try #require(try MetricsFile(folder.write(name, bytes)))
            #expect(try file.last(20).isEmpty && file.lastEvaluation() == nil)
        }
        #expect(throws: FileError.self) { try MetricsFile(folder.path) }
        // Nobody writes into it: opening must not wait.
        #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
        #expect(throws: FileError.self) { try MetricsFile(folder.file("pipe")) }
    }
}

/// The figures of a run of any length in memory of a fixed size.
@Suite struct LossHistoryTests {
    @Test func `a short run is kept as it is`() {
        var history = LossHistory(limit: 10)
        for step in 1...10 { history.add(step: step, loss: Double(step)) }
        #expect(history.means.map(\.step) == Array(1...10) && history.outline.map(\.loss) == (1...10).map(Double.init))
    }

    @Test func `of a long one the means, the extremes and the ends stay`() throws {
        var history = LossHistory(limit: 64)
        for step in 1...100_000 {
            history.add(step: step, loss: step == 77_777 ? 9 : step == 33_333 ? -9 : step % 2 == 0 ? 1 : 3)
            history.add(step: step, loss: .nan)
        }
        #expect(history.means.count <= 64 && history.outline.count <= 130)
        #expect(history.means.first?.step == 1 && history.means.last?.step == 100_000)
        #expect(history.means.allSatisfy { abs($0.loss - 2) < 0.02 })
        #expect(history.outline.contains { $0 == (77_777, 9) } && history.outline.contains { $0 == (33_333, -9) })
        #expect(history.outline.last.map { $0 == (100_000, 1) } == true)
        #expect(zip(history.outline, history.outline.dropFirst()).allSatisfy { $0.step < $1.step })
    }

    @Test func `a median needs no more than a sample`() {
        var few = ThinnedSample()
        for value in [100.0, 90, 1, 2, 3] { few.add(value) }
        #expect(few.median == 2)
        var many = ThinnedSample(limit: 100)
        for step in 0..<1_000_000 { many.add(Double(step % 1001)) }
        #expect(many.values.count <= 100 && abs(many.median - 500) < 120)
        #expect(ThinnedSample().median == 0)
    }
}

@Suite struct DivergenceTests {
    @Test func `it is told once, when the loss stays beyond all bounds`() {
        var divergence = Divergence(vocabulary: 256)
        var told: [Int] = []
        for step in 1...40 {
            let loss = step == 5 || step > 20 ? 1e6 : 5
            if divergence.update(step: step, loss: loss, isLast: false) != nil { told.append(step) }
        }
        #expect(told == [30])
        var atTheEnd = Divergence(vocabulary: 256)
        #expect(atTheEnd.update(step: 1, loss: 50, isLast: false) == nil)
        #expect(
            atTheEnd.update(step: 2, loss: 7e11, isLast: true)?.contains("7.000e11 nats, where guessing gives 5.55")
                == true)
    }
}
