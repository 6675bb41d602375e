import Glibc
import Hardware
import MPI
import Pipeline

/// Messages of many sizes go round all ranks, each checked by each; prints the time of a hop.
func pingPong(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let next = (world.rank + 1) % world.size
    let previous = (world.rank + world.size - 1) % world.size
    for count in [0, 1, 13, 1000, 50_000, 1_000_000] {
        let message = Message(count)
        let rounds = count > 10_000 ? 5 : 200
        let start = MonotonicClock.seconds
        for round in 0..<rounds {
            if world.rank == 0 {
                message.fill(round)
                let send = try endpoint.startSend(message.bytes, to: next, tag: 600)
                if world.size == 1 {
                    let back = Message(count)
                    try endpoint.wait(endpoint.startReceive(into: back.memory, from: 0, tag: 600), for: "own message")
                    try back.check(round, "own message")
                }
                try endpoint.wait(send, for: "the send of round \(round)")
            }
            if world.size > 1 {
                let receive = try endpoint.startReceive(into: message.memory, from: previous, tag: 600)
                try endpoint.wait(receive, for: "round \(round) of \(count) floats")
                try message.check(round, "round \(round) of \(count) floats")
            }
            if world.rank != 0 {
                let send = try endpoint.startSend(message.bytes, to: next, tag: 600)
                try endpoint.wait(send, for: "the send of round \(round)")
            }
        }
        let hop = (MonotonicClock.seconds - start) / Double(rounds * world.size)
        if world.rank == 0 {
            print("\(4 * count) bytes: \((hop * 1e7).rounded() / 10) us per hop, data check included")
        }
    }
}

/// Receives start in another order than their sends, and large messages go both ways at once: nothing may depend on
/// buffering.
func ordering(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let count = 100_000
    let tags = 10
    let peers = (0..<world.size).filter { $0 != world.rank }
    for round in 0..<2 {
        let sent = Message(count * tags * max(1, peers.count))
        let got = Message(count * tags * max(1, peers.count))
        var sends: [TransferID] = []
        var receives: [(id: TransferID, number: Int, place: Range<Int>)] = []
        func place(_ index: Int, _ tag: Int) -> Range<Int> {
            let from = (index * tags + tag) * count
            return from..<from + count
        }
        func number(from source: Int, to destination: Int, _ tag: Int) -> Int {
            ((round * 31 + source) * 31 + destination) * 31 + tag
        }
        for (index, peer) in peers.enumerated() {
            for tag in 0..<tags {
                let part = UnsafeMutableBufferPointer(rebasing: sent.floats[place(index, tag)])
                fill(part, number(from: world.rank, to: peer, tag))
                sends.append(try endpoint.startSend(UnsafeRawBufferPointer(part), to: peer, tag: 600 + tag))
            }
        }
        usleep(UInt32(1000 * world.rank))
        for (index, peer) in peers.enumerated().reversed() {
            for tag in (0..<tags).reversed() {
                let part = UnsafeMutableBufferPointer(rebasing: got.floats[place(index, tag)])
                let id = try endpoint.startReceive(
                    into: UnsafeMutableRawBufferPointer(part), from: peer, tag: 600 + tag)
                receives.append((id, number(from: peer, to: world.rank, tag), place(index, tag)))
            }
        }
        for receive in receives {
            try endpoint.wait(receive.id, for: "message \(receive.number)")
            try check(UnsafeMutableBufferPointer(rebasing: got.floats[receive.place]), receive.number)
        }
        for send in sends { try endpoint.wait(send, for: "a send") }
    }
}

private func fill(_ floats: UnsafeMutableBufferPointer<Float>, _ number: Int) {
    for index in floats.indices { floats[index] = Float((number &+ index) % 8191) }
}

private func check(_ floats: UnsafeMutableBufferPointer<Float>, _ number: Int) throws {
    for index in floats.indices where floats[index] != Float((number &+ index) % 8191) {
        throw ProbeFailure(description: "message \(number), element \(index) is \(floats[index])")
    }
}

/// Many small messages between all pairs, completed in the order of arrival while other work is polled.
func exchange(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    var polls = 0
    endpoint.onWait = { polls += 1 }
    for round in 0..<100 {
        let sent = Message(world.size)
        let got = Message(world.size)
        sent.fill(round * world.size + world.rank)
        var transfers: [TransferID] = []
        for peer in 0..<world.size {
            let place = (4 * peer)..<(4 * peer + 4)
            let memory = UnsafeMutableRawBufferPointer(rebasing: got.memory[place])
            transfers.append(try endpoint.startReceive(into: memory, from: peer, tag: 700))
            let bytes = UnsafeRawBufferPointer(rebasing: sent.bytes[place])
            transfers.append(try endpoint.startSend(bytes, to: peer, tag: 700))
        }
        var open = transfers
        try endpoint.wait(for: "round \(round)") {
            try open.removeAll { try endpoint.isComplete($0) }
            try endpoint.progress()
            return open.isEmpty
        }
        let expected = Message(world.size)
        for peer in 0..<world.size {
            expected.fill(round * world.size + peer)
            try expect(got.floats[peer] == expected.floats[world.rank], "round \(round): wrong value from rank \(peer)")
        }
    }
    try expect(world.activeTransfers == 0, "transfers are left")
}

/// One message of more than 2 GiB from the first rank to the last.
func large(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let bytes = (2 << 30) + 4096
    guard world.size > 1, world.rank == 0 || world.rank == world.size - 1 else { return }
    let message = Message(bytes / 4)
    if world.rank == 0 {
        message.fill(1)
        try endpoint.wait(endpoint.startSend(message.bytes, to: world.size - 1, tag: 600), for: "the send")
    } else {
        try endpoint.wait(endpoint.startReceive(into: message.memory, from: 0, tag: 600), for: "the message")
        try message.check(1, "the message")
    }
}
