import Glibc

/// The control groups that a process is in (containers, batch systems), of both versions: where the files of their
/// limits are.
package struct ControlGroups: Sendable {
    /// A limit that a group's file sets.
    package struct Limit: Sendable, Equatable {
        package let value: Double
        /// The file that says so.
        package let file: String

        package init(value: Double, file: String) {
            self.value = value
            self.file = file
        }
    }

    /// Where a hierarchy is mounted, and which part of it.
    private struct Mount {
        let root: String
        let point: String
        /// Nil: version 2, which has all controllers.
        let controllers: Set<String>?
    }

    private let mounts: [Mount]
    /// The process' group by controller; "" is version 2's.
    private let groups: [String: String]
    private let read: @Sendable (_ path: String) -> String?

    /// - Parameters:
    ///   - groups: what /proc/self/cgroup says
    ///   - mounts: what /proc/self/mountinfo says
    ///   - read: the text of a file, nil if there is none
    package init(groups: String, mounts: String, read: @escaping @Sendable (_ path: String) -> String?) {
        self.read = read
        self.mounts = mounts[...].utf8.split(separator: UInt8(ascii: "\n")).compactMap(Self.mount)
        var known: [String: String] = [:]
        for line in groups.split(separator: "\n") {
            // "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1).
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                known[String(controller)] = String(fields[2])
            }
        }
        self.groups = known
    }

    /// Those of this process, as they were when it started: a batch system places a process before that. What a limit
    /// is, is read when it is asked for.
    package static let own = ControlGroups(
        groups: SystemFile.text("/proc/self/cgroup") ?? "", mounts: SystemFile.text("/proc/self/mountinfo") ?? "",
        read: SystemFile.text)

    /// By bytes: splitting hundreds of lines by characters would take a start milliseconds.
    private static func mount(_ line: Substring.UTF8View) -> Mount? {
        // number parent device root point options ... - type source options
        let fields = line.split(separator: UInt8(ascii: " "))
        guard let end = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), end >= 5, fields.count >= end + 4
        else { return nil }
        let kind = String(Substring(fields[end + 1]))
        guard kind == "cgroup" || kind == "cgroup2" else { return nil }
        let options = Substring(fields[end + 3])
        let controllers = kind == "cgroup2" ? nil : Set(options.split(separator: ",").map(String.init))
        return Mount(root: plain(Substring(fields[3])), point: plain(Substring(fields[4])), controllers: controllers)
    }

    /// The system writes blanks as \040.
    private static func plain(_ field: Substring) -> String {
        guard field.utf8.contains(UInt8(ascii: "\\")) else { return String(field) }
        return String(field).replacing("\\040", with: " ").replacing("\\011", with: "\t").replacing(
            "\\134", with: "\\")
    }

    /// The folders of the process' group of a controller and of all groups around it, the innermost first.
    private func folders(of controller: String, version: Int) -> [String] {
        let path = groups[version == 2 ? "" : controller]
        guard let path else { return [] }
        let mount = mounts.first { version == 2 ? $0.controllers == nil : $0.controllers?.contains(controller) == true }
        guard let mount else { return [] }
        // A container may see a part of the hierarchy, and its own group from outside.
        var below = ""
        if mount.root == "/" {
            below = path
        } else if path == mount.root || path.hasPrefix(mount.root + "/") {
            below = String(path.dropFirst(mount.root.count))
        }
        if below.contains("/../") || below.hasSuffix("/..") { below = "" }
        var folders: [String] = []
        while true {
            while below.hasSuffix("/") { below.removeLast() }
            folders.append(mount.point + below)
            guard let slash = below.lastIndex(of: "/") else { return folders }
            below = String(below[..<slash])
        }
    }

    private func number(_ file: String) -> Double? {
        read(file)?.split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }.flatMap {
            $0.isFinite ? $0 : nil
        }
    }

    private func lowest(_ limits: [Limit]) -> Limit? { limits.min { $0.value < $1.value } }

    /// What a version 1 file holds where there is no limit: the largest number of pages.
    private static let noLimit = Double((Int.max >> 20) << 20)

    /// Bytes that the processes of the groups may hold.
    package var memory: Limit? {
        var limits: [Limit] = []
        for folder in folders(of: "memory", version: 2) {
            for name in ["memory.max", "memory.high"] { add("\(folder)/\(name)") }
        }
        for (depth, folder) in folders(of: "memory", version: 1).enumerated() {
            add("\(folder)/memory.limit_in_bytes")
            // Of groups around that can't be seen from here.
            if depth == 0,
                let line = read("\(folder)/memory.stat")?.split(separator: "\n").first(where: {
                    $0.hasPrefix("hierarchical_memory_limit ")
                }), let bytes = line.split(separator: " ").last.flatMap({ Double($0) }), bytes < Self.noLimit
            {
                limits.append(Limit(value: bytes, file: "\(folder)/memory.stat"))
            }
        }
        func add(_ file: String) {
            if let bytes = number(file), bytes > 0, bytes < Self.noLimit {
                limits.append(Limit(value: bytes, file: file))
            }
        }
        return lowest(limits)
    }

    /// Cores' worth of time that the processes of the groups may take.
    package var cpu: Limit? {
        var limits: [Limit] = []
        for folder in folders(of: "cpu", version: 2) {
            let file = "\(folder)/cpu.max"
            // "quota period", or "max period".
            let fields = (read(file) ?? "").split(whereSeparator: \.isWhitespace).map { Double($0) }
            if fields.count == 2, let quota = fields[0], let period = fields[1], quota.isFinite, quota > 0, period > 0 {
                limits.append(Limit(value: quota / period, file: file))
            }
        }
        for folder in folders(of: "cpu", version: 1) {
            let file = "\(folder)/cpu.cfs_quota_us"
            if let quota = number(file), quota > 0, let period = number("\(folder)/cpu.cfs_period_us"), period > 0 {
                limits.append(Limit(value: quota / period, file: file))
            }
        }
        return lowest(limits)
    }

    /// Files that tell for how long the CPU quotas have held threads back, the innermost group's first.
    package var cpuStatistics: [String] {
        (folders(of: "cpu", version: 2) + folders(of: "cpu", version: 1)).map { "\($0)/cpu.stat" }
    }

    /// Threads that may still be started.
    package var threads: Limit? {
        var limits: [Limit] = []
        for folder in folders(of: "pids", version: 2) + folders(of: "pids", version: 1) {
            let file = "\(folder)/pids.max"
            if let most = number(file) {
                limits.append(Limit(value: max(0, most - (number("\(folder)/pids.current") ?? 0)), file: file))
            }
        }
        return lowest(limits)
    }
}

/// Files in which the system answers.
enum SystemFile {
    /// Nil if there is none or it can't be read.
    @Sendable static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}
