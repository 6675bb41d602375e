import Glibc

/// What this process takes of the node's memory, and what there is for it.
package enum ProcessMemory {
    /// Bytes that the process holds now.
    package static var resident: Int { pages(1) }
    /// Bytes of addresses that it has, whether something lies there or not.
    package static var addresses: Int { pages(0) }
    /// Bytes of them that are its own to write: heap, mappings, stacks.
    package static var privateData: Int { pages(5) }

    /// In bytes; sizes stand there in pages: total, resident, shared, text, 0, data.
    private static func pages(_ field: Int) -> Int {
        let fields = firstLine("/proc/self/statm").split(separator: " ")
        guard fields.count > field, let pages = Int(fields[field]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The most bytes that the process has held so far. (getrusage would count what its parent held, too.)
    package static var peak: Int { kilobytes(of: "VmHWM:", in: "/proc/self/status").map { $0 << 10 } ?? 0 }

    /// Bytes that processes here may hold in all: the node's memory, or less if this process' group has a limit
    /// (containers, Slurm).
    package static var limit: Int { MemoryLimit.tightestShared.bytes }

    package static var ofTheNode: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

    /// Bytes of the node's memory that nobody holds or that the system can take back at once; nil when it doesn't tell.
    package static var available: Int? { kilobytes(of: "MemAvailable:", in: "/proc/meminfo").map { $0 << 10 } }

    /// The number behind a name in one of the system's lists. Ranks ask for it every step, so it takes no memory.
    private static func kilobytes(of name: StaticString, in path: StaticString) -> Int? {
        let file = path.withUTF8Buffer { path in
            path.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_RDONLY | O_CLOEXEC) }  // ends with a zero
        }
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { memory in
            /// Bytes of the name that the line begins with; nil: it is another's line.
            var matched: Int? = 0
            var value: Int?
            while true {
                let count = read(file, memory.baseAddress, memory.count)
                if count <= 0 { return value }
                for byte in memory[..<count] {
                    if byte == UInt8(ascii: "\n") {
                        if value != nil { return value }
                        matched = 0
                    } else if matched == name.utf8CodeUnitCount {
                        let digit = Int(byte) - Int(UInt8(ascii: "0"))
                        if 0...9 ~= digit { value = (value ?? 0) * 10 + digit }
                    } else if let known = matched {
                        matched = name.utf8Start[known] == byte ? known + 1 : nil
                    }
                }
            }
        }
    }

    private static func firstLine(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        return fgets(&line, Int32(line.count), file) == nil ? "" : text(line)
    }

    /// A line without its end.
    private static func text(_ line: [CChar]) -> String {
        String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
