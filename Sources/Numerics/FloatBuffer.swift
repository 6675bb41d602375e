/// Zeroed, 64-byte aligned memory for floats, freed with its owner. Confined to the domain that made it.
package final class FloatBuffer {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int

    /// Lanes by which every part of a carved buffer is aligned.
    package static let alignment = 16

    package init(_ count: Int) {
        self.count = count
        let bytes = max(1, count) * MemoryLayout<Float>.stride
        base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64).assumingMemoryBound(to: Float.self)
        base.initialize(repeating: 0, count: count)
    }

    deinit { base.deallocate() }

    package func clear() { base.update(repeating: 0, count: count) }
}

/// Cuts a piece of memory into aligned parts, or only counts them: the same code sizes an arena and lays it out.
package struct Carver {
    private let base: UnsafeMutablePointer<Float>?
    /// Floats handed out so far.
    package private(set) var used = 0

    package init(_ base: UnsafeMutablePointer<Float>) { self.base = base }

    /// A carver that counts; its pointers must not be used.
    package init(counting: Void) { base = nil }

    package mutating func take(_ count: Int) -> UnsafeMutablePointer<Float> {
        let a = FloatBuffer.alignment
        let offset = used
        used += (count + a - 1) / a * a
        // A counting carver hands out a non-null address that nobody reads.
        return (base ?? UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped) + offset
    }
}
