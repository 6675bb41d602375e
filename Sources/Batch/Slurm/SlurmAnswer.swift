/// What Slurm says when it is asked for a job.
package enum SlurmAnswer: Sendable, Equatable {
    case job(SlurmJob)
    /// It doesn't know it: it forgets some minutes after the end, unless it keeps accounts.
    case unknown
    /// There is no Slurm here.
    case noSlurm
    /// It did not answer, and why.
    case silent(String)

    package var job: SlurmJob? {
        if case .job(let job) = self { job } else { nil }
    }

    /// Seconds that each of its programs may take.
    private static let limit = 8.0

    /// Asks the controller, and of a job that it has forgotten the accounts, if there are any.
    package static func ask(_ number: String, limit: Double = limit) -> SlurmAnswer {
        do {
            guard let text = try SlurmCommand.run(SlurmJob.query(number), limit: limit) else { return .noSlurm }
            if let job = SlurmJob(scontrol: text) { return .job(job) }
            return .silent("scontrol's answer names no job")
        } catch {
            let reason = SlurmComplaint("\(error)")
            guard !reason.isSilence else { return .silent(reason.summary) }
            let accounts = try? SlurmCommand.run(SlurmJob.accountsQuery(number), limit: limit)
            if let job = accounts.flatMap({ $0 }).flatMap(SlurmJob.init(sacct:)) { return .job(job) }
            return reason.isUnknownJob ? .unknown : .silent(reason.summary)
        }
    }
}

/// What one of Slurm's programs complained of: several lines, of which the last says most.
struct SlurmComplaint {
    private let text: String

    init(_ text: String) { self.text = text }

    /// As `SlurmCommand` says it.
    var isSilence: Bool { text.contains("gave no answer") }

    /// Whether the controller got the request, it can't tell.
    var isTimeOut: Bool { text.contains("timed out") }

    var isUnknownJob: Bool { text.contains("Invalid job id") }

    /// Whether there is no cluster behind the program: it is installed and was never set up, or nothing answers.
    var isNoCluster: Bool {
        ["configuration source", "fetch_config", "slurm.conf", "Unable to contact", "Connection refused"]
            .contains { text.contains($0) }
    }

    var summary: String {
        let last = text.split(whereSeparator: \.isNewline).last.map(String.init) ?? text
        // "sinfo: fatal: ..."
        return last.replacing(/^[a-z]+: ((fatal|error): )?/, with: "")
    }
}
