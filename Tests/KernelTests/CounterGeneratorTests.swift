import Numerics
import Testing

/// Known answers of Random123's kat_vectors for threefry2x32, 20 rounds.
@Suite struct CounterGeneratorTests {
    @Test(arguments: [
        (SIMD2<UInt32>(0, 0), SIMD2<UInt32>(0, 0), SIMD2<UInt32>(0x6b20_0159, 0x99ba_4efe)),
        (SIMD2(0xffff_ffff, 0xffff_ffff), SIMD2(0xffff_ffff, 0xffff_ffff), SIMD2(0x1cb9_96fc, 0xbb00_2be7)),
        (SIMD2(0x1319_8a2e, 0x0370_7344), SIMD2(0x243f_6a88, 0x85a3_08d3), SIMD2(0xc492_3a9c, 0x483d_f7a0)),
    ])
    func knownAnswers(key: SIMD2<UInt32>, counter: SIMD2<UInt32>, expected: SIMD2<UInt32>) {
        #expect(CounterGenerator.block(key: key, counter: counter) == expected)
    }

    @Test func streamsDiffer() {
        let a = CounterGenerator(seed: 1, stream: 1)
        let b = CounterGenerator(seed: 1, stream: 2)
        #expect(a.word(0) != b.word(0))
        #expect(a.word(0) == CounterGenerator(seed: 1, stream: 1).word(0))
    }

    @Test func wordsAreTheBlocksOfTheStreamsKey() {
        let g = CounterGenerator(seed: 0x0123_4567_89ab_cdef, stream: 42)
        let counter: UInt64 = 0xdead_beef_0000_0005
        let block = CounterGenerator.block(key: g.key, counter: SIMD2(0x0000_0005, 0xdead_beef))
        #expect(g.word(counter) == UInt64(block.y) << 32 | UInt64(block.x))
    }

    @Test func uniformNumbersFillTheirRangeEvenly() {
        let g = CounterGenerator(seed: 3, stream: 4)
        let n = 100_000
        let x = (0..<UInt64(n)).map { g.uniform($0) }
        #expect(x.allSatisfy { $0 >= 0 && $0 < 1 })
        // The mean of n has deviation 1 / sqrt(12 n), each of 10 bins about sqrt(0.09 n).
        #expect(abs(x.reduce(0, +) / Double(n) - 0.5) < 5 / (12 * Double(n)).squareRoot())
        for bin in 0..<10 {
            let count = x.filter { Int($0 * 10) == bin }.count
            #expect(abs(Double(count) - 0.1 * Double(n)) < 5 * (0.09 * Double(n)).squareRoot())
        }
    }

    @Test func integersStayBelowTheirBoundAndReachAllOfIt() {
        let g = CounterGenerator(seed: 5, stream: 6)
        let found = Set((0..<200).map { g.integer($0, below: 7) })
        #expect(found == Set(0..<7))
        #expect(g.integer(0, below: 1) == 0)
    }
}
