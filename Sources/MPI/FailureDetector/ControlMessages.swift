/// Short texts on the control channel; those on their way keep their memory until they have left.
struct ControlMessages {
    private var underWay: [(transfer: MPIWorld.Transfer, memory: UnsafeMutableRawBufferPointer)] = []

    mutating func send(_ text: String, to destination: Int, tag: Int, _ world: MPIWorld) throws {
        let bytes = Array(text.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        let transfer = try world.startSend(UnsafeRawBufferPointer(memory), to: destination, tag: tag, on: .control)
        underWay.append((transfer, memory))
    }

    mutating func clear(_ world: MPIWorld) throws {
        guard !underWay.isEmpty else { return }
        try underWay.removeAll { message in
            guard try world.isComplete(message.transfer) else { return false }
            message.memory.deallocate()
            return true
        }
    }

    /// A message that a probe has found.
    static func receive(bytes: Int, from source: Int, tag: Int, _ world: MPIWorld) throws -> String {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 1)
        defer { memory.deallocate() }
        let transfer = try world.startReceive(into: memory, from: source, tag: tag, on: .control)
        // The message is there, or its first part is: this ends soon.
        while try !world.isComplete(transfer) {}
        return String(decoding: memory, as: UTF8.self)
    }
}
