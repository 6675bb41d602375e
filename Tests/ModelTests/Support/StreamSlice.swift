import Model
import TestSupport
import Testing

/// A slice of a stream on which attention and memory are tested.
struct StreamSlice: Sendable, CustomTestStringConvertible {
    let stream: RandomStream
    let start, end: Int
    let heads: Int, keyDim: Int, valueDim: Int

    init(_ stream: RandomStream, _ range: Range<Int>, heads: Int = 2, keyDim: Int = 3, valueDim: Int = 2) {
        self.stream = stream
        start = range.lowerBound
        end = range.upperBound
        self.heads = heads
        self.keyDim = keyDim
        self.valueDim = valueDim
    }

    var testDescription: String {
        let documents = stream.bos.map { bos in "documents at \(bos.indices.filter { bos[$0] })" } ?? "one document"
        return "tokens \(start)..<\(end), chunks of \(stream.chunk), \(stream.chunks) seen, \(documents)"
    }

    var T: Int { end - start }
    var Z: Int { heads * keyDim }
    var E: Int { heads * valueDim }
    var windowStart: Int { max(0, (start / stream.chunk - (stream.chunks - 1)) * stream.chunk) }
    /// Keys held: the window's and the slice's.
    var held: Int { end - windowStart }

    var plan: SlicePlan { stream.plan(stream.cursor(at: start), length: T) }

    /// Slices that begin and end anywhere, in one document and in several.
    static let all: [StreamSlice] = {
        func stream(_ bos: [Int]?, chunk: Int = 4, chunks: Int = 2, length: Int = 24) -> RandomStream {
            RandomStream(
                length: length, chunk: chunk, chunks: chunks, bos: bos.map { bos in (0..<length).map(bos.contains) })
        }
        let single = stream(nil)
        let packed = stream([0, 5, 6, 11, 19])
        let rare = stream([3, 13])
        let (own, ownPacked) = (stream(nil, chunks: 1), stream([0, 5, 6, 11, 19], chunks: 1))
        return [
            StreamSlice(single, 0..<3), StreamSlice(single, 0..<14), StreamSlice(single, 4..<12),
            StreamSlice(single, 9..<21), StreamSlice(single, 15..<16), StreamSlice(single, 17..<18),
            StreamSlice(packed, 0..<15), StreamSlice(packed, 7..<22), StreamSlice(packed, 11..<12),
            StreamSlice(rare, 0..<24), StreamSlice(rare, 12..<24), StreamSlice(rare, 14..<21),
            StreamSlice(stream(nil, chunk: 1, length: 7), 2..<7), StreamSlice(stream([2], chunk: 20), 1..<9),
            StreamSlice(stream([1, 9], chunk: 5), 0..<20, heads: 1, keyDim: 17, valueDim: 18),
            StreamSlice(own, 0..<3), StreamSlice(own, 2..<17), StreamSlice(own, 4..<12), StreamSlice(own, 15..<16),
            StreamSlice(ownPacked, 0..<15), StreamSlice(ownPacked, 7..<22), StreamSlice(ownPacked, 11..<12),
        ]
    }()
}
