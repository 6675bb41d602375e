import MPI

/// How a rank that waits in vain learns what the rank it waits for is doing: it asks, and whoever is alive answers between
/// kernels and while it waits itself.
struct Questions {
    /// A question is an empty message, an answer is text. Both travel on MPI's control channel, apart from the run's messages.
    private static let question = 0
    private static let answer = 1
    /// Seconds to wait for an answer: longer than any kernel.
    static let patience = 5.0

    private var letters = Letters()

    /// Answers the questions that have come.
    mutating func answer(_ world: MPIWorld, _ activity: () -> String) throws {
        while let (asker, _) = try world.probe(.control, tag: Questions.question) {
            try Questions.receive(bytes: 0, from: asker, tag: Questions.question, world)
            try letters.send(Array(activity().utf8), to: asker, tag: Questions.answer, world)
        }
        try letters.clear(world)
    }

    /// What rank `peer` says, as a sentence; others' questions are answered meanwhile.
    mutating func ask(_ peer: Int, _ world: MPIWorld, meanwhile activity: () -> String) throws -> String {
        try letters.send([], to: peer, tag: Questions.question, world)
        var found: String?
        _ = try world.poll(atMost: Questions.patience) {
            try answer(world, activity)
            guard let (source, bytes) = try world.probe(.control, tag: Questions.answer), source == peer else {
                return false
            }
            found = try Questions.receive(bytes: bytes, from: source, tag: Questions.answer, world)
            return true
        }
        return Questions.sentence(peer, found)
    }

    static func sentence(_ peer: Int, _ answer: String?) -> String {
        answer.map { "Rank \(peer) \($0)." }
            ?? "Rank \(peer) does not answer: it is dead, stopped, or deep in a computation."
    }

    @discardableResult
    private static func receive(bytes: Int, from source: Int, tag: Int, _ world: MPIWorld) throws -> String {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 1)
        defer { memory.deallocate() }
        let transfer = try world.startReceive(into: memory, from: source, tag: tag, on: .control)
        // The message is there, or its first part is: this ends soon.
        while try !world.isComplete(transfer) {}
        return String(decoding: memory, as: UTF8.self)
    }
}

/// Messages on their way whose memory is kept until they have left.
private struct Letters {
    private var underWay: [(transfer: MPIWorld.Transfer, memory: UnsafeMutableRawBufferPointer)] = []

    mutating func send(_ bytes: [UInt8], to destination: Int, tag: Int, _ world: MPIWorld) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        let transfer = try world.startSend(
            UnsafeRawBufferPointer(memory), to: destination, tag: tag, on: .control)
        underWay.append((transfer, memory))
    }

    mutating func clear(_ world: MPIWorld) throws {
        guard !underWay.isEmpty else { return }
        try underWay.removeAll { letter in
            guard try world.isComplete(letter.transfer) else { return false }
            letter.memory.deallocate()
            return true
        }
    }
}
