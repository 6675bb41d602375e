/// A job as Slurm sees it.
package struct SlurmJob: Sendable, Equatable {
    package var number: String
    /// RUNNING, PENDING, COMPLETED, ...
    package var state: String
    package var reason: String
    package var nodes: String
    package var restarts: Int
    /// Seconds that it has run, and that it may run; nil for no limit.
    package var runTime: Int
    package var limit: Int?
    package var start: String

    /// Whether it will run, or runs.
    package var isAlive: Bool {
        [
            "PENDING", "RUNNING", "REQUEUED", "REQUEUE_HOLD", "CONFIGURING", "SUSPENDED", "RESIZING", "COMPLETING",
            "STOPPED",
        ]
        .contains(state)
    }

    package static func query(_ number: String) -> [String] { ["scontrol", "-o", "show", "job", number] }

    /// Asks Slurm; nil when it doesn't know the job (any more: it forgets some minutes after the end) or isn't here.
    package static func ask(_ number: String) -> SlurmJob? {
        guard let text = try? SlurmCommand.run(query(number)) else { return nil }
        return SlurmJob(scontrol: text)
    }

    /// - Parameter scontrol: a line of `key=value`, as `query` gives it
    package init?(scontrol: String) {
        var fields: [String: String] = [:]
        for word in scontrol.split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "=", maxSplits: 1)
            if parts.count == 2, fields[String(parts[0])] == nil { fields[String(parts[0])] = String(parts[1]) }
        }
        guard let number = fields["JobId"], let state = fields["JobState"] else { return nil }
        self.number = number
        self.state = state
        reason = fields["Reason"] ?? ""
        nodes = fields["NodeList"] ?? ""
        restarts = fields["Restarts"].flatMap { Int($0) } ?? 0
        runTime = fields["RunTime"].flatMap(SlurmTime.seconds) ?? 0
        limit = fields["TimeLimit"].flatMap(SlurmTime.seconds)
        start = fields["StartTime"] ?? ""
    }
}

/// Times as Slurm writes them: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds.
package enum SlurmTime {
    /// Nil for anything else, and for UNLIMITED.
    package static func seconds(_ text: String) -> Int? {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        let parts = halves[halves.count - 1].split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            part.allSatisfy(\.isASCII) && part.allSatisfy(\.isNumber) && part.count < 7 ? Int(part) : nil
        }
        guard numbers.count == parts.count, (1...3).contains(numbers.count) else { return nil }
        if halves.count == 2 {
            guard let days = Int(halves[0]), (0..<10_000).contains(days) else { return nil }
            let units = [3600, 60, 1]
            return days * 86400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
        }
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        default: return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        }
    }
}
