import Glibc

/// Passes packets between its ports, each with a cable of `rate` bytes a second and `delay` seconds one way. A packet
/// takes its time on the sender's and on the receiver's cable at once (cut-through), so that a flow alone sees `rate`
/// and one `delay`.
struct EthernetSwitch {
    private let taps: [Tap]
    private let rate: Double
    private let delay: Double
    private var toHost: [Cable]
    /// When each sender's cable is free again.
    private var fromHostFree: [Double]
    /// Which port an Ethernet address was last seen at.
    private var ports: [UInt64: Int] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Tap.largestPacket, alignment: 16)

    /// Like a network card, take packets at most this much ahead of the wire.
    private static let ahead = 1e-3
    /// Frame check, preamble, gap, and the headers that a segment of a large packet would have.
    private static let overhead = 90.0

    /// - Parameter rate: infinite for cables without a limit
    init(taps: [Tap], rate: Double, delay: Double) {
        self.taps = taps
        self.rate = rate
        self.delay = delay
        toHost = [Cable](repeating: Cable(), count: taps.count)
        fromHostFree = [Double](repeating: 0, count: taps.count)
    }

    mutating func run() -> Never {
        while true {
            let time = now
            var next = time + 1
            var ready = DescriptorSet()
            for port in taps.indices {
                deliver(port, time)
                if let due = toHost[port].next { next = min(next, due) }
                if fromHostFree[port] < time + Self.ahead {
                    ready.insert(taps[port].descriptor)
                } else {
                    next = min(next, fromHostFree[port] - Self.ahead / 2)
                }
            }
            guard ready.wait(seconds: max(0, next - time)) else { continue }
            for port in taps.indices where ready.contains(taps[port].descriptor) { receive(port, now) }
        }
    }

    private mutating func deliver(_ port: Int, _ time: Double) {
        while let due = toHost[port].next, due <= time {
            let packet = toHost[port].take()
            // An interface that is down takes nothing: the packet is lost, as on a cable.
            _ = packet.withUnsafeBytes { write(taps[port].descriptor, $0.baseAddress, $0.count) }
        }
    }

    private mutating func receive(_ port: Int, _ time: Double) {
        while fromHostFree[port] < time + Self.ahead {
            let count = read(taps[port].descriptor, buffer.baseAddress, buffer.count)
            guard count > Tap.headerBytes + 14 else { return }
            let packet = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            let start = max(fromHostFree[port], time)
            let wire = wireBytes(packet) / rate
            fromHostFree[port] = start + wire
            let (destination, source) = (address(packet, 0), address(packet, 6))
            ports[source] = port
            // The lowest bit of the first byte marks a group.
            let isGroup = destination & 1 != 0
            if !isGroup, let target = ports[destination] {
                if target != port { toHost[target].put(packet, start: start + delay, wire: wire) }
            } else {
                for target in taps.indices where target != port {
                    toHost[target].put(packet, start: start + delay, wire: wire)
                }
            }
        }
    }

    /// A large packet goes as segments, each with headers.
    private func wireBytes(_ packet: UnsafeRawBufferPointer) -> Double {
        let segment = Int(packet.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        let bytes = packet.count - Tap.headerBytes
        let segments = segment > 0 ? (bytes + segment - 1) / segment : 1
        return Double(bytes) + Double(segments) * Self.overhead
    }

    private func address(_ packet: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        let start = Tap.headerBytes + offset
        return UInt64(packet.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            | UInt64(packet.loadUnaligned(fromByteOffset: start + 4, as: UInt16.self)) << 32
    }

    private var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
