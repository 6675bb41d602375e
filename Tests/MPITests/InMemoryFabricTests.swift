import Foundation
import Pipeline
import Synchronization
import Testing

@Suite struct InMemoryFabricTests {
    @Test func aMessageArrivesWhicheverSideComesFirst() throws {
        for delays in [(0, 2000), (2000, 0)] {
            try runRanks(size: 2) { endpoint in
                if endpoint.rank == 0 {
                    usleep(UInt32(delays.0))
                    let message = Message(1000) { Float($0) }
                    try endpoint.wait(endpoint.startSend(message.bytes, to: 1, tag: 5), for: "the send")
                } else {
                    usleep(UInt32(delays.1))
                    let message = Message(1000)
                    try endpoint.wait(endpoint.startReceive(into: message.memory, from: 0, tag: 5), for: "the message")
                    #expect(message.holds { Float($0) })
                }
            }
        }
    }

    @Test func aSendIsNotCompleteBeforeItsReceiveStarts() throws {
        let isStarted = Atomic<Bool>(false)
        let wasCompleteEarly = Atomic<Bool>(false)
        try runRanks(size: 2) { endpoint in
            let message = Message(4)
            if endpoint.rank == 0 {
                let send = try endpoint.startSend(message.bytes, to: 1, tag: 0)
                try endpoint.wait(for: "completion") {
                    let started = isStarted.load(ordering: .acquiring)
                    let complete = try endpoint.isComplete(send)
                    if complete && !started { wasCompleteEarly.store(true, ordering: .releasing) }
                    return complete
                }
            } else {
                usleep(5000)
                isStarted.store(true, ordering: .releasing)
                try endpoint.wait(endpoint.startReceive(into: message.memory, from: 0, tag: 0), for: "the message")
            }
        }
        let wasEarly = wasCompleteEarly.load(ordering: .acquiring)
        #expect(!wasEarly)
    }

    @Test func tagsAreMatchedWhateverTheOrder() throws {
        try runRanks(size: 2) { endpoint in
            let count = 20
            let order = endpoint.rank == 0 ? Array(0..<count) : Array((0..<count).reversed())
            let message = Message(count) { endpoint.rank == 0 ? Float($0) : -1 }
            let transfers = try order.map { tag in
                let part = UnsafeMutableRawBufferPointer(rebasing: message.memory[(4 * tag)..<(4 * tag + 4)])
                return endpoint.rank == 0
                    ? try endpoint.startSend(UnsafeRawBufferPointer(part), to: 1, tag: tag)
                    : try endpoint.startReceive(into: part, from: 0, tag: tag)
            }
            for transfer in transfers { try endpoint.wait(transfer, for: "a message") }
            #expect(message.holds { Float($0) })
        }
    }

    @Test func messagesOfOneTagKeepTheirOrder() throws {
        try runRanks(size: 2) { endpoint in
            let message = Message(50) { endpoint.rank == 0 ? Float($0) : -1 }
            let transfers = try (0..<50).map { index in
                let part = UnsafeMutableRawBufferPointer(rebasing: message.memory[(4 * index)..<(4 * index + 4)])
                return endpoint.rank == 0
                    ? try endpoint.startSend(UnsafeRawBufferPointer(part), to: 1, tag: 3)
                    : try endpoint.startReceive(into: part, from: 0, tag: 3)
            }
            for transfer in transfers { try endpoint.wait(transfer, for: "a message") }
            #expect(message.holds { Float($0) })
        }
    }

    @Test(arguments: [1, 2, 3, 5])
    func everybodySendsToEverybody(size: Int) throws {
        try runRanks(size: size) { endpoint in
            for round in 0..<50 {
                let sent = Message(size) { Float(100 * endpoint.rank + $0 + round) }
                let got = Message(size)
                var transfers: [TransferID] = []
                for peer in 0..<size {
                    let place = (4 * peer)..<(4 * peer + 4)
                    let memory = UnsafeMutableRawBufferPointer(rebasing: got.memory[place])
                    transfers.append(try endpoint.startReceive(into: memory, from: peer, tag: round))
                    let bytes = UnsafeRawBufferPointer(rebasing: sent.bytes[place])
                    transfers.append(try endpoint.startSend(bytes, to: peer, tag: round))
                }
                for transfer in transfers { try endpoint.wait(transfer, for: "a message") }
                #expect(got.holds { Float(100 * $0 + endpoint.rank + round) })
            }
        }
    }

    @Test func aMessageOfAnotherSizeIsAnError() {
        let errors = runRanks(InMemoryFabric(size: 2)) { endpoint in
            let message = Message(endpoint.rank == 0 ? 3 : 4)
            let transfer =
                try endpoint.rank == 0
                ? endpoint.startSend(message.bytes, to: 1, tag: 9)
                : endpoint.startReceive(into: message.memory, from: 0, tag: 9)
            try endpoint.wait(transfer, for: "it")
        }
        let expected = TransportError.wrongSize(rank: 1, from: 0, tag: 9, expected: 16, found: 12)
        #expect(errors[1] as? TransportError == expected)
    }

    @Test func aWaitWithoutEndNamesWhatIsMissing() throws {
        let fabric = InMemoryFabric(size: 2)
        let errors = runRanks(fabric) { endpoint in
            endpoint.patience = endpoint.rank == 1 ? 0.05 : 20
            if endpoint.rank == 1 {
                let message = Message(4)
                let transfer = try endpoint.startReceive(into: message.memory, from: 0, tag: 7)
                do {
                    try endpoint.wait(transfer, for: "F of sequence 2, slice 1")
                } catch {
                    // Before the memory goes, at the end of this scope.
                    fabric.cancel(error, by: 1)
                    throw error
                }
            } else {
                try endpoint.barrier()
            }
        }
        let error = try #require(errors[1] as? TransportError)
        let text = error.description
        #expect(text.contains("rank 1 waited 0.05 s for F of sequence 2, slice 1"))
        #expect(text.contains("from rank 0, tag 7"))
        #expect(text.contains("Rank 0 waits for all ranks at barrier."))
        guard case .cancelled(by: 1, _) = errors[0] as? TransportError else {
            Issue.record("rank 0 ended with \(String(describing: errors[0]))")
            return
        }
    }

    @Test func aPeerThatComputesSaysSo() throws {
        let fabric = InMemoryFabric(size: 2)
        let errors = runRanks(fabric) { endpoint in
            let message = Message(4)
            if endpoint.rank == 0 {
                endpoint.activity = { "computes F of sequence 0, slice 3" }
                while true {
                    usleep(100)
                    try endpoint.progress()
                }
            }
            endpoint.patience = 0.02
            do {
                try endpoint.wait(endpoint.startReceive(into: message.memory, from: 0, tag: 7), for: "a message")
            } catch {
                fabric.cancel(error, by: 1)
                throw error
            }
        }
        let text = try #require(errors[1] as? TransportError).description
        #expect(text.contains("Rank 0 computes F of sequence 0, slice 3."))
    }

    @Test func aFailureEndsTheWaitsOfAllOthers() throws {
        struct Broken: Error {}
        let start = Date()
        let errors = runRanks(InMemoryFabric(size: 3)) { endpoint in
            if endpoint.rank == 2 {
                usleep(10_000)
                throw Broken()
            }
            let message = Message(4)
            if endpoint.rank == 1 { try endpoint.barrier() }
            try endpoint.wait(endpoint.startReceive(into: message.memory, from: 2, tag: 0), for: "nothing")
        }
        #expect(Date().timeIntervalSince(start) < 5)
        for rank in 0..<2 {
            #expect(errors[rank] as? TransportError == .cancelled(by: 2, reason: "Broken()"))
        }
    }

    @Test func anEndpointThatIsGivenUpEarlyStopsTheOthers() throws {
        let errors = runRanks(InMemoryFabric(size: 2)) { endpoint in
            let message = Message(4)
            if endpoint.rank == 0 { try endpoint.barrier() }
            _ = try endpoint.startReceive(into: message.memory, from: 0, tag: 0)
        }
        let text = try #require(errors[0] as? TransportError).description
        #expect(text.contains("rank 1 left with 1 message(s) under way"))
    }

    @Test(arguments: [1, 2, 4])
    func valuesAreGatheredAndBytesAreSpread(size: Int) throws {
        try runRanks(size: size) { endpoint in
            for round in 0..<20 {
                let values = [Double](repeating: Double(endpoint.rank), count: endpoint.rank + round)
                let all = try endpoint.allGather(values)
                #expect(all == (0..<size).map { [Double](repeating: Double($0), count: $0 + round) })
                let equal = [Double](repeating: Double(endpoint.rank), count: round)
                var flat = [Double](repeating: .nan, count: size * round)
                try equal.withUnsafeBufferPointer { values in
                    try flat.withUnsafeMutableBufferPointer { try endpoint.allGather(values, into: $0) }
                }
                #expect(flat == (0..<size).flatMap { [Double](repeating: Double($0), count: round) })
                let root = round % size
                let own = endpoint.rank == root ? Array("round \(round)".utf8) : [1]
                #expect(try endpoint.broadcast(own, from: root) == Array("round \(round)".utf8))
                try endpoint.barrier()
            }
        }
    }

    @Test func differentMeetingsAreAnError() throws {
        let errors = runRanks(InMemoryFabric(size: 2)) { endpoint in
            if endpoint.rank == 0 { try endpoint.barrier() } else { _ = try endpoint.allGather([1]) }
        }
        let texts = errors.compactMap { $0 as? TransportError }.map(\.description).joined()
        #expect(texts.contains("calls barrier"))
        #expect(texts.contains("calls allGather"))
    }

    @Test func otherWorkGoesOnDuringAWait() throws {
        let isWaiting = Atomic<Bool>(false)
        try runRanks(size: 2) { endpoint in
            let message = Message(1)
            if endpoint.rank == 0 {
                endpoint.onWait = { isWaiting.store(true, ordering: .relaxed) }
                try endpoint.wait(endpoint.startReceive(into: message.memory, from: 1, tag: 0), for: "it")
            } else {
                // Without other work the wait would have no end.
                while !isWaiting.load(ordering: .relaxed) { usleep(100) }
                try endpoint.wait(endpoint.startSend(message.bytes, to: 0, tag: 0), for: "it")
            }
        }
    }

    @Test func tooFewTagsAreRefusedBeforeTheRun() throws {
        let endpoint = InMemoryFabric(size: 1).endpoint(0)
        try endpoint.requireTags(upTo: endpoint.largestTag)
        #expect(throws: TransportError.tooFewTags(needed: endpoint.largestTag + 1, available: endpoint.largestTag)) {
            try endpoint.requireTags(upTo: endpoint.largestTag + 1)
        }
    }
}
