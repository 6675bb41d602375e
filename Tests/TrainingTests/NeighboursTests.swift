import Testing
import Training

@Suite struct NeighboursTests {
    @Test func `each rank's partner is in the next house, in the same place`() {
        let n = Neighbours(keys: ["a", "a", "b", "b", "c", "c"])
        #expect(n.houses == [[0, 1], [2, 3], [4, 5]])
        #expect((0..<6).map { n.partner(of: $0) } == [2, 3, 4, 5, 0, 1])
        #expect((0..<6).map { n.clients(of: $0) } == [[4], [5], [0], [1], [2], [3]])
        #expect((0..<6).filter { n.isLead($0) } == [0, 2, 4])
    }

    @Test func `houses of other sizes, ranks spread in turn, and a single house`() {
        let uneven = Neighbours(keys: ["a", "a", "a", "b"])
        #expect((0..<4).map { uneven.partner(of: $0) } == [3, 3, 3, 0])
        #expect(uneven.clients(of: 3) == [0, 1, 2])
        let spread = Neighbours(keys: ["a", "b", "a", "b"])
        #expect((0..<4).map { spread.partner(of: $0) } == [1, 0, 3, 2])
        let alone = Neighbours(keys: ["a", "a"])
        #expect(alone.partner(of: 0) == nil && alone.clients(of: 1).isEmpty)
    }
}
