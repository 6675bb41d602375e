import Glibc

/// CPU quotas of the control groups that this process is in: for how long they have held its threads back.
package enum Throttling {
    /// Seconds so far, of all threads of the strictest group; 0 without a quota.
    static var seconds: Double {
        statFiles(SystemFile.text("/proc/self/cgroup") ?? "").compactMap { SystemFile.text($0).flatMap(seconds) }
            .max() ?? 0
    }

    /// From a group's "cpu.stat": microseconds in version 2, nanoseconds in version 1.
    package static func seconds(_ stat: String) -> Double? {
        for line in stat.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let value = Double(words[1]) else { continue }
            if words[0] == "throttled_usec" { return 1e-6 * value }
            if words[0] == "throttled_time" { return 1e-9 * value }
        }
        return nil
    }

    /// Where the groups of "/proc/self/cgroup" and the groups around them tell that.
    package static func statFiles(_ groups: String) -> [String] {
        groups.split(separator: "\n").flatMap { line -> [String] in
            // "0::/path" (version 2) or "4:cpu,cpuacct:/path" (version 1).
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let controllers = fields[1].split(separator: ",")
            guard controllers.isEmpty || controllers.contains("cpu") else { return [] }
            let root = controllers.isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu"
            var names = fields[2].split(separator: "/")
            var files: [String] = []
            while true {
                files.append(([root] + names.map(String.init) + ["cpu.stat"]).joined(separator: "/"))
                if names.popLast() == nil { return files }
            }
        }
    }
}
