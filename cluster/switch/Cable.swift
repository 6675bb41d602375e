/// One direction of a cable with the packets that are on it.
struct Cable {
    private struct Packet {
        /// When its last bit is out.
        let due: Double
        let bytes: [UInt8]
    }

    private var packets: [Packet] = []
    private var first = 0
    /// When the wire is free again.
    private var free = 0.0
    private var queued = 0

    /// A full queue drops, as a switch's does.
    static let queueBytes = 4 << 20

    /// - Parameters:
    ///   - start: when the first bit arrives
    ///   - wire: seconds that the packet's bits take
    mutating func put(_ bytes: UnsafeRawBufferPointer, start: Double, wire: Double) {
        guard queued + bytes.count <= Cable.queueBytes else { return }
        free = max(start, free) + wire
        packets.append(Packet(due: free, bytes: Array(bytes)))
        queued += bytes.count
    }

    /// When the next packet is due; nil if none is on the way.
    var next: Double? { first < packets.count ? packets[first].due : nil }

    mutating func take() -> [UInt8] {
        let bytes = packets[first].bytes
        queued -= bytes.count
        first += 1
        if first == packets.count {
            packets.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 1024 {
            packets.removeFirst(first)
            first = 0
        }
        return bytes
    }
}
