import Pipeline
import Testing
import Training

/// Held-out losses by position.
@Suite struct PositionLossTests {
    private func batch(_ targets: [Int32], length: Int) -> Batch {
        let sequences = targets.count / length
        return Batch(
            tokens: targets, targets: targets, length: length, countedTargets: targets.count { $0 >= 0 },
            sequenceNumbers: Array(0..<sequences), restarts: [Bool](repeating: true, count: sequences))
    }

    @Test func `bins are equally wide and cover the sequence`() {
        for (sequence, width, count) in [(1, 1, 1), (64, 1, 64), (65, 2, 33), (2048, 32, 64), (1000, 16, 63)] {
            let bins = PositionBins(sequence: sequence)
            #expect((bins.width, bins.count) == (width, count))
            #expect((0..<count).flatMap { bins.positions(of: $0) } == Array(0..<sequence))
            #expect((0..<sequence).allSatisfy { bins.positions(of: bins.bin(of: $0)).contains($0) })
        }
    }

    /// Three sequences of two positions; the second one's first target is ignored.
    private let targets: [Int32] = [1, 1, -1, 1, 1, 1]

    @Test func `means and errors as worked by hand`() throws {
        var sums = PositionLossSums([batch(targets, length: 2)])
        sums.add(EvaluationSums(loss: 4, positions: [[1, 2, 0, 1]]))
        sums.add(EvaluationSums(loss: 7, positions: [[3, 4]]))
        let losses = sums.losses(step: 9)
        #expect(losses.step == 9 && losses.sequences == 3 && losses.bins.count == 2)
        #expect(losses.all.mean == 11.0 / 5 && losses.all.targets == 5)
        // First position: 1 and 3 in two sequences; second: 2, 1 and 4.
        #expect(losses.losses.map(\.mean) == [2, 7.0 / 3] && losses.losses.map(\.targets) == [2, 3])
        #expect(losses.losses[0].standardError == 1)
        let variance = (1.0 / 9 + 16.0 / 9 + 25.0 / 9) / 2
        #expect(abs(losses.losses[1].standardError! - (variance / 3).squareRoot()) < 1e-12)
        // A bin's means weighted by its targets are the held-out loss.
        let all = losses.losses.reduce(0) { $0 + $1.mean * Double($1.targets) } / 5
        #expect(abs(all - losses.all.mean) < 1e-12)
    }

    @Test func `replicas and pieces change nothing, and a sequence that fills up counts nothing`() {
        var one = PositionLossSums([batch(targets, length: 2)])
        one.add(EvaluationSums(loss: 11, positions: [[1, 2, 0, 1, 3, 4]]))
        var two = PositionLossSums([batch(Array(targets[..<4]), length: 2), batch([1, 1, -1, -1], length: 2)])
        two.add(EvaluationSums(loss: 10, positions: [[1, 2], [3, 4]]))
        two.add(EvaluationSums(loss: 1, positions: [[0, 1], [0, 0]]))
        #expect(two.losses(step: 1) == one.losses(step: 1))
    }

    @Test func `the file reads back, errors that aren't known too`() throws {
        let folder = try TemporaryFolder()
        var sums = PositionLossSums([batch([1, 1, 1, -1, -1, -1], length: 6)])
        sums.add(EvaluationSums(loss: 1.0 / 3, positions: [[1.0 / 3, 0, 0, 0, 0, 0]]))
        let losses = sums.losses(step: 4)
        #expect(losses.all.standardError == nil && losses.losses[5].mean.isNaN)
        let path = try folder.write("positions.json", losses.json.utf8)
        let read = try #require(try PositionLosses(file: path))
        #expect(read.json == losses.json && read.bins == losses.bins && read.losses[5].targets == 0)
        #expect(abs(read.all.mean - losses.all.mean) < 1e-11)
        #expect(try PositionLosses(file: folder.file("none")) == nil)
    }
}
