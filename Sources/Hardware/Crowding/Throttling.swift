import Glibc

/// CPU quotas of the control groups that this process is in: for how long they have held its threads back.
package enum Throttling {
    private static let files = ControlGroups.own.cpuStatistics

    /// Seconds so far, of all threads of the strictest group; 0 without a quota.
    static var seconds: Double {
        files.compactMap { SystemFile.text($0).flatMap(seconds) }.max() ?? 0
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
}
