import Glibc

/// Descriptors to wait for until one can be read, with a timeout finer than `poll` has (`ppoll` is not imported into
/// Swift).
struct DescriptorSet {
    private var bits = InlineArray<16, UInt64>(repeating: 0)
    private var end: Int32 = 0

    mutating func insert(_ descriptor: Int32) {
        precondition(descriptor < 1024, "select knows 1024 descriptors")
        bits[Int(descriptor) / 64] |= 1 << UInt64(descriptor % 64)
        end = max(end, descriptor + 1)
    }

    func contains(_ descriptor: Int32) -> Bool { bits[Int(descriptor) / 64] >> UInt64(descriptor % 64) & 1 != 0 }

    /// Leaves those that can be read; false when there are none.
    mutating func wait(seconds: Double) -> Bool {
        var timeout = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        let count = end
        let found = withUnsafeMutablePointer(to: &bits) { bits in
            bits.withMemoryRebound(to: fd_set.self, capacity: 1) { pselect(count, $0, nil, nil, &timeout, nil) }
        }
        return found > 0
    }
}
