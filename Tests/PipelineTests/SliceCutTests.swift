import Model
import Pipeline
import Testing

@Suite struct SliceCutTests {
    /// A layer whose tokens take `fixed`, and `growing` more for each token before.
    private static func layer(_ fixed: Double, _ growing: Double) -> BlockDescription {
        BlockDescription(name: "layer", parameters: [], flops: .init(perToken: fixed, perTokenBefore: growing)) {
            _ in
            BlockSizes()
        } work: { _, _ in
            WorkCounts()
        }
    }

    private static func lengths(_ cut: SliceCut) -> [Int] { (0..<cut.count).map(cut.length) }

    @Test func equalSlicesAreAsLongAsTheyAreTold() {
        let cut = SliceCut(slice: 5, count: 3)
        #expect(Self.lengths(cut) == [5, 5, 5] && cut.isEqual && cut.sequence == 15 && cut.start(of: 2) == 10)
    }

    /// Worked by hand: with f = 0 and g = 2 the tokens before x take x^2, so quarters of the whole end at 1/2, sqrt 1/2
    /// and sqrt 3/4 of the length.
    @Test func slicesOfEqualCost() {
        let cut = SliceCut.balanced(sequence: 1000, count: 4, layers: [Self.layer(0, 2)], multiple: 1)
        #expect(Self.lengths(cut) == [500, 207, 159, 134] && !cut.isEqual && cut.longest == 500)
        // f = 1000, g = 1: x + x^2 / 2000 of 1500 in all.
        let mixed = SliceCut.balanced(sequence: 1000, count: 2, layers: [Self.layer(1000, 1)], multiple: 1)
        #expect(Self.lengths(mixed) == [581, 419])
        // The mean of the layers' kinds counts.
        let kinds = [Self.layer(0, 4), Self.layer(0, 0)]
        #expect(SliceCut.balanced(sequence: 1000, count: 4, layers: kinds, multiple: 1) == cut)
    }

    @Test func whatDoesNotGrowIsCutEqually() {
        #expect(
            SliceCut.balanced(sequence: 96, count: 4, layers: [Self.layer(7, 0)], multiple: 1)
                == SliceCut(slice: 24, count: 4))
    }

    @Test(arguments: [(64, 16, 1), (1024, 8, 1), (4096, 4, 1), (96, 12, 8), (240, 30, 8), (7, 7, 1)])
    func everySliceIsThereAndBeginsAtAMultiple(sequence: Int, count: Int, multiple: Int) {
        let cut = SliceCut.balanced(sequence: sequence, count: count, layers: [Self.layer(1, 50)], multiple: multiple)
        let lengths = Self.lengths(cut)
        #expect(lengths.count == count && lengths.reduce(0, +) == sequence)
        #expect(lengths.allSatisfy { $0 >= multiple && $0 % multiple == 0 })
        #expect(lengths[0] == cut.longest)
    }
}
