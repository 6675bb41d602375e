import Glibc

/// Memory in pages of 2 MiB: a core's address cache covers 512 times as much, and the first touch of a buffer takes 512
/// times fewer faults.
package enum HugePages {
    /// Bytes of a huge page on x86-64.
    static let size = 2 << 20

    /// The system's rule for transparent huge pages ("always", "madvise", "never"); nil where there are none.
    package static let rule: String? = {
        guard let file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        // "always [madvise] never": the brackets mark the one in force.
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: "[").dropFirst().first.map { String($0.prefix { $0 != "]" }) }
    }()

    /// Whether buffers ask for them: where the system has them, unless the environment says GECKO_HUGE_PAGES=0.
    package static let areWanted: Bool = {
        if let choice = getenv("GECKO_HUGE_PAGES"), String(cString: choice) == "0" { return false }
        return rule != nil && rule != "never"
    }()

    /// What becomes of the wish, for people.
    package static var summary: String {
        guard let rule else { return "none: the system has no transparent huge pages" }
        if rule == "never" { return "none: /sys/kernel/mm/transparent_hugepage/enabled says never" }
        return areWanted
            ? "transparent (\(rule)), used for buffers from \(size >> 20) MiB on"
            : "transparent (\(rule)), not used: GECKO_HUGE_PAGES=0"
    }

    /// Bytes of this process that lie in huge pages; nil where the system doesn't tell.
    package static var inUse: Int? {
        guard let file = fopen("/proc/self/smaps_rollup", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            var kilobytes = 0
            let found = withUnsafeMutablePointer(to: &kilobytes) { out in
                withVaList([out]) { vsscanf(line, "AnonHugePages: %ld", $0) }
            }
            if found == 1 { return kilobytes << 10 }
        }
        return nil
    }

    /// Untouched memory that begins at a huge page if it holds one; nil when the system has no more.
    static func map(_ bytes: Int) -> (base: UnsafeMutableRawPointer, start: UnsafeMutableRawPointer, bytes: Int)? {
        let isHuge = areWanted && bytes >= size
        let length = bytes + (isHuge ? size : 0)
        guard let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        guard isHuge else { return (start, start, length) }
        let skipped = (size - Int(bitPattern: start) % size) % size
        let base = start + skipped
        // The ends that alignment leaves over go back. The tail stays in small pages, so that no memory is used that
        // nobody asked for.
        if skipped > 0 { munmap(start, skipped) }
        let rest = size - skipped
        if rest > 0 { munmap(base + bytes, rest) }
        _ = madvise(base, bytes / size * size, MADV_HUGEPAGE)
        return (base, base, bytes)
    }
}
