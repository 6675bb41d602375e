import Numerics

/// Buffers of one size, made as needed (in the first step) and used again last in, first out.
final class BufferPool {
    private let count: Int
    private var free: [FloatBuffer] = []

    init(_ count: Int) { self.count = count }

    func take() -> FloatBuffer { free.popLast() ?? FloatBuffer(count) }
    func giveBack(_ buffer: FloatBuffer) { free.append(buffer) }
}

/// Memory of fixed place and size for trivial values.
final class FixedBuffer<Element: BitwiseCopyable> {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ count: Int) {
        self.count = count
        base = .allocate(capacity: max(1, count))
        UnsafeMutableRawPointer(base).initializeMemory(
            as: UInt8.self, repeating: 0, count: max(1, count) * MemoryLayout<Element>.stride)
    }

    deinit { base.deallocate() }
}
