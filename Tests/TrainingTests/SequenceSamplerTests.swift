import Corpora
import Foundation
import Testing

@Suite struct SequenceSamplerTests {
    /// Files are read as they are needed.
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func corpus(_ bytes: some Sequence<UInt8>, heldOut: Double = 0, packed: Bool = false) throws -> Corpus {
        let path = try folder.write(UUID().uuidString, bytes)
        return try Corpus.load(path: .text(path), heldOut: heldOut, packed: packed, separator: packed ? "|" : "")
    }

    private func read(
        _ count: Int, _ fill: (UnsafeMutableBufferPointer<Int32>, UnsafeMutableBufferPointer<Int32>) throws -> Void
    )
        throws -> (inputs: [Int32], targets: [Int32])
    {
        var inputs = [Int32](repeating: -1, count: count)
        var targets = inputs
        try inputs.withUnsafeMutableBufferPointer { i in
            try targets.withUnsafeMutableBufferPointer { t in try fill(i, t) }
        }
        return (inputs, targets)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 100, 1000])
    func `an epoch reads every window once, and each epoch in an order of its own`(windows: Int) throws {
        let corpus = try corpus([UInt8](repeating: 65, count: windows * 4 + 3))
        let sampler = try SequenceSampler(corpus: corpus, sequence: 4, batch: 1, seed: 9, streams: false)
        #expect(sampler.windowsPerEpoch == windows)
        #expect(sampler.unusedTokens == 2)
        let epochs = (0..<3).map { epoch in
            (0..<windows).map { sampler.window(step: epoch * windows + $0, index: 0).start }
        }
        for epoch in epochs { #expect(epoch.sorted() == (0..<windows).map { $0 * 4 }) }
        if windows > 7 { #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2] && epochs[0] != epochs[0].sorted()) }
    }

    @Test func `the order is spread evenly`() throws {
        // Over many epochs each window comes first about equally often.
        let windows = 10
        let corpus = try corpus([UInt8](repeating: 65, count: windows * 2 + 1))
        let sampler = try SequenceSampler(corpus: corpus, sequence: 2, batch: 1, seed: 1, streams: false)
        var first = [Int](repeating: 0, count: windows)
        for epoch in 0..<5000 { first[sampler.window(step: epoch * windows, index: 0).start / 2] += 1 }
        // 500 expected, standard deviation 21.
        #expect(first.allSatisfy { abs($0 - 500) < 110 }, "\(first)")
    }

    @Test func `the order depends on the seed and on the place in the row alone`() throws {
        let corpus = try corpus([UInt8](repeating: 65, count: 4001))
        let one = try SequenceSampler(corpus: corpus, sequence: 4, batch: 1, seed: 5, streams: false)
        let six = try SequenceSampler(corpus: corpus, sequence: 4, batch: 6, seed: 5, streams: false)
        let other = try SequenceSampler(corpus: corpus, sequence: 4, batch: 1, seed: 6, streams: false)
        let row = (0..<1200).map { one.window(step: $0, index: 0) }
        #expect(row == (0..<1200).map { six.window(step: $0 / 6, index: $0 % 6) })
        #expect(row != (0..<1200).map { other.window(step: $0, index: 0) })
        #expect(row.allSatisfy { $0.restarts })
    }

    @Test func `targets are the inputs one token on`() throws {
        let bytes = (0..<61).map { UInt8($0) }
        let sampler = try SequenceSampler(
            corpus: try corpus(bytes, heldOut: 0.2), sequence: 5, batch: 3, seed: 2, streams: false)
        #expect(sampler.windowsPerEpoch == 9)
        for step in 0..<6 {
            for index in 0..<3 {
                let (inputs, targets) = try read(5) {
                    try sampler.fill(step: step, index: index, inputs: $0, targets: $1)
                }
                let start = Int32(sampler.window(step: step, index: index).start)
                #expect(inputs == Array(start..<start + 5))
                #expect(targets == Array(start + 1..<start + 6))
                #expect(start + 5 < 49)
            }
        }
    }

    @Test func `a bos target is ignored, a bos input is not`() throws {
        let sampler = try SequenceSampler(
            corpus: try corpus("ab|c".utf8, packed: true), sequence: 4, batch: 1, seed: 0, streams: false)
        let (inputs, targets) = try read(4) { try sampler.fill(step: 0, index: 0, inputs: $0, targets: $1) }
        #expect(inputs == [256, 97, 98, 256])
        #expect(targets == [97, 98, -100, 99])
    }

    @Test func `streams read their regions in order and restart at the end`() throws {
        let bytes = (0..<47).map { UInt8($0) }
        let sampler = try SequenceSampler(corpus: try corpus(bytes), sequence: 5, batch: 2, seed: 3, streams: true)
        // Regions of 23 tokens: 4 windows and the last target each, 2 x 2 + 1 tokens left.
        #expect(sampler.windowsPerEpoch == 4)
        #expect(sampler.unusedTokens == 5)
        let starts = (0..<6).map { step in (0..<2).map { sampler.window(step: step, index: $0).start } }
        #expect(starts == [[0, 23], [5, 28], [10, 33], [15, 38], [0, 23], [5, 28]])
        #expect(
            (0..<6).map { sampler.window(step: $0, index: 1).restarts } == [true, false, false, false, true, false])
    }

    @Test func `a text that is too short says how much is needed`() throws {
        let one = try corpus([65])
        let error = #expect(throws: CorpusError.self) {
            try SequenceSampler(corpus: one, sequence: 4, batch: 2, seed: 0, streams: false)
        }
        #expect(error?.description.contains("1 tokens, of which 1 to train on") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("needs 5: give at least 5 bytes of text, 4 more") == true)
        let lanes = try corpus([UInt8](repeating: 65, count: 20))
        let streams = #expect(throws: CorpusError.self) {
            try SequenceSampler(corpus: lanes, sequence: 9, batch: 3, seed: 0, streams: true)
        }
        #expect(streams?.longestSequence == 5, "\(streams?.description ?? "")")
        #expect(try SequenceSampler(corpus: lanes, sequence: 5, batch: 3, seed: 0, streams: true).windowsPerEpoch == 1)
        #expect(
            try SequenceSampler(corpus: lanes, sequence: 19, batch: 3, seed: 0, streams: false).windowsPerEpoch == 1)
    }

    @Test(arguments: [0.0, 0.05, 0.3, 0.9])
    func `the length that the message asks for is enough`(heldOut: Double) throws {
        let sequence = 16
        var count = 1
        while count < 4000 {
            let text = try corpus([UInt8](repeating: 65, count: count), heldOut: heldOut)
            do {
                _ = try SequenceSampler(corpus: text, sequence: sequence, batch: 1, seed: 0, streams: false)
                _ = try HeldOutWindows(corpus: text, sequence: sequence, limit: 0)
                return
            } catch let error as CorpusError {
                let asked = try #require(error.description.firstMatch(of: /give at least (\d+) bytes/))
                let next = try #require(Int(asked.1))
                #expect(next > count, "\(error)")
                count = next
            }
        }
        Issue.record("asked for ever more")
    }

    @Test func `held-out windows come in order`() throws {
        let bytes = (0..<40).map { UInt8($0) }
        let windows = try HeldOutWindows(corpus: try corpus(bytes, heldOut: 0.5), sequence: 6, limit: 0)
        #expect(windows.count == 3)
        let (inputs, targets) = try read(6) { try windows.fill(2, inputs: $0, targets: $1) }
        #expect(inputs == Array(32..<38) && targets == Array(33..<39))
        #expect(try HeldOutWindows(corpus: try corpus(bytes, heldOut: 0.5), sequence: 6, limit: 2).count == 2)
        #expect(try HeldOutWindows(corpus: try corpus(bytes), sequence: 6, limit: 0).count == 0)
        let error = #expect(throws: CorpusError.self) {
            try HeldOutWindows(corpus: try corpus(bytes, heldOut: 0.1), sequence: 6, limit: 0)
        }
        #expect(error?.description.contains("4 of 40 tokens") == true)
    }
}
