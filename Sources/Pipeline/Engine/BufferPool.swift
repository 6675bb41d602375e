import Glibc
import Numerics

/// Buffers of one size, used again last in, first out. Where those made at the beginning don't do, more are made as
/// needed.
final class BufferPool {
    private let count: Int
    private var free: [FloatBuffer]

    /// - Parameters:
    ///   - count: floats of a buffer
    ///   - buffers: made at the beginning
    init(_ count: Int, buffers: Int = 0) {
        self.count = count
        free = (0..<buffers).map { _ in FloatBuffer(count) }
    }

    func take() -> FloatBuffer { free.popLast() ?? FloatBuffer(count) }
    func giveBack(_ buffer: FloatBuffer) { free.append(buffer) }
}

/// Memory of fixed place and size for trivial values.
final class FixedBuffer<Element: BitwiseCopyable> {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ count: Int) {
        self.count = count
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        let memory = FloatBuffer.heap(bytes, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        base = memory.assumingMemoryBound(to: Element.self)
    }

    deinit { free(base) }
}
