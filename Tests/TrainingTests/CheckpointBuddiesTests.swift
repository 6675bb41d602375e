import Testing
import Training

@Suite struct CheckpointBuddiesTests {
    @Test func `each rank's partner is in the next node, in the same place`() {
        let n = CheckpointBuddies(keys: ["a", "a", "b", "b", "c", "c"])
        #expect(n.nodes == [[0, 1], [2, 3], [4, 5]])
        #expect((0..<6).map { n.partner(of: $0) } == [2, 3, 4, 5, 0, 1])
        #expect((0..<6).map { n.kept(by: $0) } == [[4], [5], [0], [1], [2], [3]])
        #expect((0..<6).filter { n.isLead($0) } == [0, 2, 4])
    }

    @Test func `nodes of other sizes, ranks spread in turn, and a single node`() {
        let uneven = CheckpointBuddies(keys: ["a", "a", "a", "b"])
        #expect((0..<4).map { uneven.partner(of: $0) } == [3, 3, 3, 0])
        #expect(uneven.kept(by: 3) == [0, 1, 2])
        let spread = CheckpointBuddies(keys: ["a", "b", "a", "b"])
        #expect((0..<4).map { spread.partner(of: $0) } == [1, 0, 3, 2])
        let alone = CheckpointBuddies(keys: ["a", "a"])
        #expect(alone.partner(of: 0) == nil && alone.kept(by: 1).isEmpty)
    }
}
