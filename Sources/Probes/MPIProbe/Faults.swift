import Glibc
import MPI
import Pipeline

/// The last rank waits for a message that never comes, while the first waits in another place and says so.
func timeout(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    let message = Message(10)
    if world.rank == world.size - 1 {
        endpoint.patience = 0.3
        let receive = try endpoint.startReceive(into: message.memory, from: 0, tag: 777)
        try endpoint.wait(receive, for: "F of sequence 2, slice 1")
    } else {
        try endpoint.wait(for: "a quiet moment") { false }
    }
}

/// Messages that are too short and too long for their receives.
func wrongSize(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    for (tag, sent) in [(600, 9), (601, 11)] {
        let message = Message(world.rank == 0 ? sent : 10)
        if world.rank == 0 {
            try endpoint.wait(endpoint.startSend(message.bytes, to: 1, tag: tag), for: "the send")
        } else if world.rank == 1 {
            let receive = try endpoint.startReceive(into: message.memory, from: 0, tag: tag)
            do {
                try endpoint.wait(receive, for: "the message")
                throw ProbeFailure(description: "a message of another size was accepted")
            } catch let error as TransportError {
                print(error)
            }
        }
    }
}

/// One rank gives up; the launcher has to end the others, which wait.
func failure(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    if world.rank == world.size - 1 { throw ProbeFailure(description: "rank \(world.rank) gives up") }
    try endpoint.barrier()
}

/// Never ends by itself.
func stuck(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    try endpoint.wait(for: "ever") { false }
}

/// All ranks come to the end, and the first does not leave MPI with the others.
func staysBehind(_ world: MPIWorld, _ endpoint: MPIEndpoint) throws {
    if world.rank == 0 {
        try endpoint.barrier()
        sleep(60)
    } else {
        try world.finalize(endingWith: 7, within: 0.5)
        throw ProbeFailure(description: "MPI let rank \(world.rank) go")
    }
}
