import Glibc
import Synchronization

/// Counts calls of the C library's allocator while it is on: the program's own `malloc` and its relatives take the place of the
/// library's, for every library in the process, and pass on to it.
enum CountedMalloc {
    private static let isOn = Atomic<Bool>(false)
    private static let calls = Atomic<Int>(0)
    private static let bytes = Atomic<Int>(0)

    static func begin() {
        calls.store(0, ordering: .relaxed)
        bytes.store(0, ordering: .relaxed)
        isOn.store(true, ordering: .sequentiallyConsistent)
    }

    static func end() -> (calls: Int, bytes: Int) {
        isOn.store(false, ordering: .sequentiallyConsistent)
        return (calls.load(ordering: .relaxed), bytes.load(ordering: .relaxed))
    }

    /// With `ALLOCATION_PROBE_TRACE` set, the first calls are shown with the stack that leads to them.
    nonisolated(unsafe) private static var shown = 0
    nonisolated(unsafe) private static var isShowing = false
    nonisolated(unsafe) static var shows = 0

    @inline(never)
    fileprivate static func count(_ size: Int) {
        guard isOn.load(ordering: .relaxed) else { return }
        calls.add(1, ordering: .relaxed)
        bytes.add(size, ordering: .relaxed)
        guard shown < shows, !isShowing else { return }
        isShowing = true
        shown += 1
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 24) { frames in
            let depth = backtrace(frames.baseAddress!, 24)
            backtraceSymbols(frames.baseAddress!, depth, 2)
            _ = write(2, "--\n", 3)
        }
        isShowing = false
    }
}

@_silgen_name("__libc_malloc") private func libraryMalloc(_ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_calloc") private func libraryCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_realloc")
private func libraryRealloc(_ memory: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
@_silgen_name("__libc_memalign") private func libraryMemalign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

@_cdecl("malloc") public func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
    CountedMalloc.count(size)
    return libraryMalloc(size)
}

@_cdecl("calloc") public func countedCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    CountedMalloc.count(count &* size)
    return libraryCalloc(count, size)
}

@_cdecl("realloc")
public func countedRealloc(_ memory: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
    CountedMalloc.count(size)
    return libraryRealloc(memory, size)
}

@_cdecl("aligned_alloc") public func countedAlignedAlloc(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer? {
    CountedMalloc.count(size)
    return libraryMemalign(alignment, size)
}

@_cdecl("posix_memalign")
public func countedPosixMemalign(
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
) -> CInt {
    CountedMalloc.count(size)
    result.pointee = libraryMemalign(alignment, size)
    return result.pointee == nil ? ENOMEM : 0
}

// execinfo.h, which the Glibc module leaves out.
@_silgen_name("backtrace") private func backtrace(
    _ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ size: CInt
) -> CInt
@_silgen_name("backtrace_symbols_fd")
private func backtraceSymbols(_ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ size: CInt, _ file: CInt)
