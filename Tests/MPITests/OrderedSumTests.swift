import Glibc
import Pipeline
import Testing

@Suite struct OrderedSumTests {
    /// Values whose sum depends on its order.
    private func term(_ rank: Int, _ index: Int, _ step: Int) -> Float {
        let mixed = UInt32(truncatingIfNeeded: (rank &* 1_000_003 &+ index) &* 2_654_435_761 &+ step &* 97)
        return (Float(mixed % 20_001) - 10_000) * (mixed & 1 == 0 ? 1e-3 : 1e3)
    }

    @Test(arguments: [1, 2, 3, 5], [0, 1, 4, 1023, 20_001])
    func everyMemberHasTheOrderedSum(members: Int, count: Int) throws {
        try runRanks(size: members) { endpoint in
            let gradient = Message(count)
            // Pieces much smaller than the parts, so that windows fill.
            let sync = OrderedSum(
                endpoint: endpoint, group: Array(0..<members), buffer: gradient.floats, firstTag: 10, pieceBytes: 1000)
            for step in 0..<3 {
                for index in 0..<count { gradient.floats[index] = term(endpoint.rank, index, step) }
                try sync.start()
                try sync.finish()
                #expect(sync.isFinished)
                let isOrdered = gradient.holds { index in
                    (1..<members).reduce(term(0, index, step)) { $0 + term($1, index, step) }
                }
                #expect(isOrdered)
            }
        }
    }

    @Test func theSumDoesNotDependOnHowTheGradientIsCut() throws {
        let (members, count) = (3, 3000)
        try runRanks(size: members) { endpoint in
            let whole = Message(count) { term(endpoint.rank, $0, 0) }
            let cut = Message(count) { term(endpoint.rank, $0, 0) }
            let places = [0..<1, 1..<1001, 1001..<count]
            let syncs =
                [OrderedSum(endpoint: endpoint, group: Array(0..<members), buffer: whole.floats, firstTag: 0)]
                + places.enumerated().map { index, place in
                    OrderedSum(
                        endpoint: endpoint, group: Array(0..<members),
                        buffer: UnsafeMutableBufferPointer(rebasing: cut.floats[place]), firstTag: 2 + 2 * index,
                        pieceBytes: 64)
                }
            endpoint.onWait = { for sync in syncs { try sync.progress() } }
            for sync in syncs { try sync.start() }
            for sync in syncs.reversed() { try sync.finish() }
            endpoint.onWait = nil
            #expect((0..<count).allSatisfy { whole.floats[$0].bitPattern == cut.floats[$0].bitPattern })
        }
    }

    /// Hooks between kernels can't throw: what they met must be told by the next call that can, and must not be looked
    /// for again.
    @Test func whatEndedATransferIsToldByEveryLaterCall() throws {
        let errors = runRanks(InMemoryFabric(size: 2)) { endpoint in
            let gradient = Message(endpoint.rank == 0 ? 1000 : 600)
            let sync = OrderedSum(endpoint: endpoint, group: [0, 1], buffer: gradient.floats, firstTag: 0)
            try sync.start()
            var first: (any Error)?
            while first == nil { do { try sync.progress() } catch { first = error } }
            #expect(throws: TransportError.self) { try sync.finish() }
            #expect(throws: TransportError.self) { try sync.summedShareNow() }
            try sync.finish()
        }
        #expect(errors.contains { if case TransportError.wrongSize? = $0 { true } else { false } }, "\(errors)")
    }

    @Test func theOrderIsTheGroupsNotTheRanks() throws {
        try runRanks(size: 3) { endpoint in
            let values: [Float] = [1e8, -1e8, 1]
            let gradient = Message(2) { _ in values[endpoint.rank] }
            let sync = OrderedSum(
                endpoint: endpoint, group: [2, 0, 1], buffer: gradient.floats, firstTag: 0)
            try sync.start()
            try sync.finish()
            // (1 + 1e8) - 1e8 loses the one, where (1e8 - 1e8) + 1 would keep it.
            #expect(gradient.holds { _ in 0 })
        }
    }

    /// Two members of one thread, which therefore do everything in a known order; eight floats in two buckets, each
    /// member with half of each.
    @Test(arguments: [true, false]) func aBucketIsSummedWhileTheNextIsNotComplete(returns: Bool) throws {
        let fabric = InMemoryFabric(size: 2)
        let endpoints = [fabric.endpoint(0), fabric.endpoint(1)]
        let terms: [Float] = [1, 10]
        func parts(_ floats: UnsafeMutableBufferPointer<Float>) -> [PartPieces] {
            [[0..<2, 4..<6], [2..<4, 6..<8]].map { ranges in
                PartPieces(ranges.map { UnsafeMutableBufferPointer(rebasing: floats[$0]) }, ends: [0, 1, 2])
            }
        }
        let floats = terms.map { _ in UnsafeMutableBufferPointer<Float>.allocate(capacity: 8) }
        defer { for floats in floats { floats.deallocate() } }
        let sums = (0..<2).map {
            OrderedSum(endpoint: endpoints[$0], group: [0, 1], parts: parts(floats[$0]), returns: returns, firstTag: 0)
        }
        func settle() throws {
            for _ in 0..<4 {
                usleep(100)  // Calls that follow each other at once do nothing.
                for sum in sums { try sum.progress() }
            }
        }
        for step in 0..<2 {
            for (rank, floats) in floats.enumerated() { floats.initialize(repeating: terms[rank]) }
            for sum in sums { try sum.complete(buckets: 1) }
            try settle()
            #expect(sums.map(\.summedShare) == [0.5, 0.5])
            let (mine, other) = (terms[0] + terms[1], returns ? terms[0] + terms[1] : terms[0])
            #expect(Array(floats[0]) == [mine, mine, other, other, 1, 1, 1, 1], "step \(step)")
            #expect(sums.allSatisfy { !$0.isFinished })
            for sum in sums { try sum.complete(buckets: 2) }
            try settle()
            #expect(sums.allSatisfy { $0.isFinished && $0.summedShare == 1 })
            #expect(Array(floats[0]) == [mine, mine, other, other, mine, mine, other, other])
            #expect(Array(floats[1])[2...3] == [mine, mine])
        }
    }

    @Test func aMissingMemberIsNamed() throws {
        let fabric = InMemoryFabric(size: 3)
        let errors = runRanks(fabric) { endpoint in
            let gradient = Message(100)
            let sync = OrderedSum(
                endpoint: endpoint, group: [0, 1, 2], buffer: gradient.floats, firstTag: 0)
            guard endpoint.rank != 1 else { return try endpoint.barrier() }
            endpoint.patience = endpoint.rank == 0 ? 0.05 : 20
            do {
                try sync.start()
                try sync.finish()
            } catch {
                fabric.cancel(error, by: endpoint.rank)
                throw error
            }
        }
        #expect(try #require(errors[0] as? TransportError).description.contains("the gradient sync with ranks"))
    }
}
