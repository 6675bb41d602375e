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
            "PENDING", "RUNNING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "CONFIGURING", "SUSPENDED", "RESIZING",
            "COMPLETING", "STOPPED", "SIGNALING", "STAGE_OUT", "SPECIAL_EXIT",
        ]
        .contains(state)
    }

    /// A job's number, with that of its part in an array or of a component.
    package static func isNumber(_ text: String) -> Bool { text.wholeMatch(of: /[0-9]{1,10}([_+][0-9]{1,10})?/) != nil }

    package static func query(_ number: String) -> [String] { ["scontrol", "-o", "show", "job", number] }

    package static func accountsQuery(_ number: String) -> [String] {
        ["sacct", "-n", "-X", "-P", "-j", number, "-o", "JobID,State,NodeList,ElapsedRaw,Timelimit,Start"]
    }

    /// - Parameter scontrol: a line of `key=value`, as `query` gives it
    package init?(scontrol: String) {
        var fields: [String: String] = [:]
        for word in Self.withoutName(scontrol).split(whereSeparator: \.isWhitespace) {
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

    /// - Parameter sacct: lines of fields, as `accountsQuery` asks for them; the first is the job's
    package init?(sacct: String) {
        guard let line = sacct.split(whereSeparator: \.isNewline).first else { return nil }
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        // "CANCELLED by 1000"
        guard fields.count == 6, let state = fields[1].split(separator: " ").first else { return nil }
        number = fields[0]
        self.state = String(state)
        reason = ""
        nodes = fields[2]
        restarts = 0
        runTime = Int(fields[3]) ?? 0
        limit = SlurmTime.seconds(fields[4])
        start = fields[5]
    }

    /// The name, which people choose, may look like the fields after it.
    private static func withoutName(_ line: String) -> String {
        guard let name = line.firstRange(of: " JobName="),
            let user = line[name.upperBound...].firstMatch(of: /\sUserId=\S*\([0-9]+\) GroupId=/)
        else { return line }
        return String(line[..<name.lowerBound] + line[user.range.lowerBound...])
    }
}
