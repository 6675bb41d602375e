import Glibc

/// Zeroed, aligned memory for floats, freed with its owner. Confined to the domain that made it.
///
/// Large buffers are mappings of their own that nobody has touched: on a NUMA machine a page comes to lie near the
/// thread that writes it first, so a team that shares the first write as it shares the work has its memory near. Where
/// the system allows it they are made of huge pages.
package final class FloatBuffer {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int
    /// Bytes of the buffer, whole pages if it is `paged`.
    private let byteCount: Int
    private let origin: Origin

    private enum Origin {
        case heap
        case mapping(start: UnsafeMutableRawPointer, bytes: Int)
    }

    /// Lanes by which every part of a carved buffer is aligned.
    package static let alignment = 16
    /// What direct file access wants of addresses and lengths.
    package static let page = 4096
    /// From here on a buffer is a mapping of its own.
    private static let mapped = 256 << 10

    /// - Parameter paged: begins and ends with a page, for direct file access.
    package convenience init(_ count: Int, paged: Bool = false) {
        let bytes = Self.byteCount(count, paged: paged)
        self.init(count, bytes, paged: paged, bytes >= Self.mapped ? HugePages.map(bytes) : nil)
    }

    /// A large buffer that can be done without: nil when the system refuses the memory.
    package convenience init?(ifPossible count: Int) {
        let bytes = Self.byteCount(count, paged: false)
        let mapping = bytes >= Self.mapped ? HugePages.map(bytes) : nil
        guard mapping != nil || bytes < Self.mapped else { return nil }
        self.init(count, bytes, paged: false, mapping)
    }

    private static func byteCount(_ count: Int, paged: Bool) -> Int {
        let bytes = max(1, count) * MemoryLayout<Float>.stride
        return paged || bytes >= mapped ? pagedBytes(count) : bytes
    }

    private init(
        _ count: Int, _ bytes: Int, paged: Bool,
        _ mapping: (base: UnsafeMutableRawPointer, start: UnsafeMutableRawPointer, bytes: Int)?
    ) {
        self.count = count
        byteCount = bytes
        if let mapping {
            origin = .mapping(start: mapping.start, bytes: mapping.bytes)
            base = mapping.base.bindMemory(to: Float.self, capacity: count)
        } else {
            origin = .heap
            let memory = Self.heap(byteCount, alignment: paged ? Self.page : 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            base = memory.assumingMemoryBound(to: Float.self)
        }
    }

    deinit {
        switch origin {
        case .heap: free(base)
        case .mapping(let start, let bytes): munmap(start, bytes)
        }
    }

    /// Where there is no more memory, the process ends with a line that says so: what it holds is in its checkpoints.
    /// - Returns: memory for `free`
    package static func heap(_ bytes: Int, alignment: Int) -> UnsafeMutableRawPointer {
        var memory: UnsafeMutableRawPointer?
        guard posix_memalign(&memory, alignment, bytes) == 0, let memory else {
            // The console lives in a module that arithmetic doesn't know.
            let text =
                """
                Error: the system has no \(bytes) bytes of memory more for this process (ulimit -v, ulimit -d, or \
                others hold it)\n
                """
            _ = write(STDERR_FILENO, text, text.utf8.count)
            _exit(1)
        }
        return memory
    }

    package func clear() { base.update(repeating: 0, count: count) }

    /// A paged buffer with the rest of its last page.
    package var pages: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    }

    /// Bytes of a paged buffer of `count` floats.
    package static func pagedBytes(_ count: Int) -> Int {
        (max(1, count) * MemoryLayout<Float>.stride + page - 1) / page * page
    }
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
