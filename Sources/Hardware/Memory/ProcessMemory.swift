import Glibc

/// What this process takes of the node's memory, and what there is for it.
package enum ProcessMemory {
    /// Bytes that the process holds now.
    package static var resident: Int {
        // Sizes in pages: total, resident, ...
        let fields = firstLine("/proc/self/statm").split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The most bytes that the process has held so far. (getrusage would count what its parent held, too.)
    package static var peak: Int { kilobytes(of: "VmHWM:", in: "/proc/self/status").map { $0 << 10 } ?? 0 }

    /// Bytes that processes here may hold in all: the node's memory, or less if this process' group has a limit (containers, Slurm).
    package static var limit: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        return groupLimits().reduce(machine) { min($0, $1) }
    }

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

    /// The limits of the control groups that this process is in, the outer ones included.
    private static func groupLimits() -> [Int] {
        guard let file = fopen("/proc/self/cgroup", "r") else { return [] }
        defer { fclose(file) }
        var limits: [Int] = []
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            // "0::/path" (version 2) or "4:memory:/path" (version 1).
            let fields = text(line).split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let root: String
            let name: String
            if fields[1].isEmpty {
                (root, name) = ("/sys/fs/cgroup", "memory.max")
            } else if fields[1].split(separator: ",").contains("memory") {
                (root, name) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            var path = String(fields[2])
            while true {
                // "max", or a huge number, where there is no limit.
                if let bytes = Int(firstLine("\(root)\(path)/\(name)")), bytes > 0 { limits.append(bytes) }
                guard let slash = path.lastIndex(of: "/"), path.count > 1 else { break }
                path = String(path[..<slash])
            }
        }
        return limits
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
