import Hardware
import Model
import Numerics
import Schedules

/// A rank's messages for one run of a table: receives are posted ahead in the order in which they will be needed, sends
/// keep their buffer until they are done. Nothing waits for a send, so nothing depends on the transport's buffering.
final class MessagePump {
    /// Receives posted before they are needed.
    static let ahead = 8

    private let endpoint: any Endpoint
    private let context: RankContext
    private let wire: WireFormat
    private let buffers: BufferPool
    /// Numbers of a slice's activations.
    private let elements: [Int]
    private var receives: [Message] = []
    private var sends: [Message] = []
    private var nextReceive = 0
    private var nextPost = 0
    private var nextSend = 0
    private var posted: [(id: TransferID, buffer: FloatBuffer)] = []
    private var sending: [(id: TransferID, buffer: FloatBuffer)] = []

    /// - Parameter elements: by slice, numbers of its activations
    init(_ context: RankContext, buffers: BufferPool, elements: [Int], wire: WireFormat) {
        self.elements = elements
        endpoint = context.endpoint
        self.context = context
        self.wire = wire
        self.buffers = buffers
        posted.reserveCapacity(Self.ahead)
        sending.reserveCapacity(context.plan.mostMessages(on: context.rank))
    }

    func begin(_ messages: Messages) throws {
        receives = messages.receives[context.rank]
        sends = messages.sends[context.rank]
        nextReceive = 0
        nextPost = 0
        nextSend = 0
        try post()
    }

    private func post() throws {
        while nextPost < receives.count, posted.count < Self.ahead {
            let message = receives[nextPost]
            let buffer = buffers.take()
            let id = try endpoint.startReceive(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<bytes(of: message)]),
                from: context.worldRank(message.peer),
                tag: message.tag)
            posted.append((id, buffer))
            nextPost += 1
        }
    }

    /// Bytes of a message on its way.
    private func bytes(of message: Message) -> Int { wire.bytes(of: elements[message.slice]) }

    /// Whether the action at `position` of the row needs a message.
    func needsMessage(at position: Int) -> Bool {
        nextReceive < receives.count && receives[nextReceive].position == position
    }

    func producesMessage(at position: Int) -> Bool {
        nextSend < sends.count && sends[nextSend].position == position
    }

    /// Waits for the next message; the caller gives the buffer back to the pool.
    func receive(for what: @autoclosure () -> String) throws -> (message: Message, buffer: FloatBuffer) {
        let message = receives[nextReceive]
        let (id, buffer) = posted.removeFirst()
        try endpoint.wait(
            id, for: "\(what()): \(message.direction) from rank \(context.worldRank(message.peer))"
        )
        nextReceive += 1
        try post()
        wire.unpack(buffer, count: elements[message.slice])
        return (message, buffer)
    }

    /// Sends a buffer, which goes back to the pool when it has left.
    func send(_ buffer: FloatBuffer) throws -> Message {
        let message = sends[nextSend]
        wire.pack(buffer, count: elements[message.slice])
        let id = try endpoint.startSend(
            UnsafeRawBufferPointer(rebasing: buffer.bytes[..<bytes(of: message)]),
            to: context.worldRank(message.peer),
            tag: message.tag)
        sending.append((id, buffer))
        nextSend += 1
        try reap()
        return message
    }

    private func reap() throws {
        var i = 0
        while i < sending.count {
            if try endpoint.isComplete(sending[i].id) {
                buffers.giveBack(sending[i].buffer)
                sending.remove(at: i)
            } else {
                i += 1
            }
        }
    }

    /// Waits until everything sent has left.
    func finish() throws {
        for (id, buffer) in sending {
            try endpoint.wait(id, for: "the end of its sends")
            buffers.giveBack(buffer)
        }
        sending.removeAll(keepingCapacity: true)
        precondition(
            nextReceive == receives.count && nextSend == sends.count && posted.isEmpty,
            "a run of a table must use all its messages")
    }
}

extension FloatBuffer {
    var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: count * MemoryLayout<Float>.stride)
    }
}
