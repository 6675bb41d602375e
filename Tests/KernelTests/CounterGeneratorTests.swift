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
}
