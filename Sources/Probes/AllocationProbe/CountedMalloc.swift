import Glibc
import Synchronization

/// Counts calls of the C library's allocator while it is on: the program's own `malloc` and its relatives take the
/// place of the library's, for every library in the process, and pass on to it.
enum CountedMalloc {
    private static let isOn = Atomic<Bool>(false)
    private static let ours = Atomic<Int>(0)
    private static let others = Atomic<Int>(0)

    static func begin() {
        // The first call of it takes memory itself.
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 1) { frames in
            _ = backtrace(frames.baseAddress!, 1)
        }
        ours.store(0, ordering: .relaxed)
        others.store(0, ordering: .relaxed)
        isOn.store(true, ordering: .sequentiallyConsistent)
    }

    /// Calls of this program and of MPI's libraries.
    static func end() -> (ours: Int, others: Int) {
        isOn.store(false, ordering: .sequentiallyConsistent)
        return (ours.load(ordering: .relaxed), others.load(ordering: .relaxed))
    }

    /// With `ALLOCATION_PROBE_TRACE` set, the first calls of ours are shown with the stack that leads to them.
    nonisolated(unsafe) private static var shown = 0
    nonisolated(unsafe) private static var isShowing = false
    nonisolated(unsafe) static var shows = 0

    @inline(never)
    fileprivate static func count() {
        guard isOn.load(ordering: .relaxed) else { return }
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 24) { frames in
            let depth = backtrace(frames.baseAddress!, 24)
            // First come functions of this file; then perhaps the C library, which is whose that calls it.
            var caller = 0
            while caller < depth, isInLibrary(frames[caller], "/allocation-probe") { caller += 1 }
            while caller < depth, isInLibrary(frames[caller], "/libc.so") { caller += 1 }
            if caller < depth, isInMPI(frames[caller]) {
                others.add(1, ordering: .relaxed)
                return
            }
            ours.add(1, ordering: .relaxed)
            guard shown < shows, !isShowing else { return }
            isShowing = true
            shown += 1
            backtraceSymbols(frames.baseAddress!, depth, 2)
            _ = write(2, "--\n", 3)
            isShowing = false
        }
    }

    private static func isInMPI(_ address: UnsafeMutableRawPointer?) -> Bool {
        // Open MPI's; MPICH's with UCX, through which it sends.
        isInLibrary(address, "openmpi") || isInLibrary(address, "/libmpi") || isInLibrary(address, "/libopen-")
            || isInLibrary(address, "/libuc")
    }

    private static func isInLibrary(_ address: UnsafeMutableRawPointer?, _ name: StaticString) -> Bool {
        var place = AddressPlace()
        guard let address, dladdr(address, &place) != 0, let path = place.file else { return false }
        return name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
            strstr(path, $0) != nil
        }
    }
}

#if !SANITIZER
    // A sanitizer has an allocator of its own, and a test bundle links this file, too: jobs/sanitize.sh leaves it out.
    @_silgen_name("__libc_malloc") private func libraryMalloc(_ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_calloc") private func libraryCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_realloc")
    private func libraryRealloc(_ memory: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
    @_silgen_name("__libc_memalign")
    private func libraryMemalign(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer?

    @_cdecl("malloc") public func countedMalloc(_ size: Int) -> UnsafeMutableRawPointer? {
        CountedMalloc.count()
        return libraryMalloc(size)
    }

    @_cdecl("calloc") public func countedCalloc(_ count: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        CountedMalloc.count()
        return libraryCalloc(count, size)
    }

    @_cdecl("realloc")
    public func countedRealloc(_ memory: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer? {
        CountedMalloc.count()
        return libraryRealloc(memory, size)
    }

    @_cdecl("aligned_alloc")
    public func countedAlignedAlloc(_ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        CountedMalloc.count()
        return libraryMemalign(alignment, size)
    }

    @_cdecl("posix_memalign")
    public func countedPosixMemalign(
        _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
    ) -> CInt {
        CountedMalloc.count()
        result.pointee = libraryMemalign(alignment, size)
        return result.pointee == nil ? ENOMEM : 0
    }
#endif

// execinfo.h and what dlfcn.h has for GNU only, which the Glibc module leaves out.
@_silgen_name("backtrace") private func backtrace(
    _ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ size: CInt
) -> CInt
@_silgen_name("backtrace_symbols_fd")
private func backtraceSymbols(_ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ size: CInt, _ file: CInt)
/// Dl_info.
private struct AddressPlace {
    var file: UnsafePointer<CChar>?
    var base: UnsafeMutableRawPointer?
    var name: UnsafePointer<CChar>?
    var symbol: UnsafeMutableRawPointer?
}
@_silgen_name("dladdr")
private func dladdr(_ address: UnsafeMutableRawPointer, _ place: UnsafeMutablePointer<AddressPlace>) -> CInt
