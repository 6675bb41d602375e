import Figures
import Simulation

extension Submission {
    /// What is submitted, for people.
    package var summary: String {
        var lines = [("plan", "\(script.ranksPerNode) rank(s) a node: \(script.plan)")]
        if let best {
            let figures =
                "\(best.stepTime.asTime) a step, bubble \(best.bubble.asPercentage), "
                + "\(Int(best.memory).asBytes) a rank"
            lines.append(("", figures + "; others: gecko plan"))
        }
        if let kept { lines.append(("kept", kept)) }
        lines.append(("run", folder.path))
        return Self.table(lines)
    }

    /// What there is to do once the job has its number.
    package func farewell(_ job: String) -> String {
        Self.table([
            ("submitted", "job \(job)"), ("script", folder.script),
            ("follow it", "gecko status \(Quoting.word(folder.path))"),
            ("", "tail -F \(Quoting.word(folder.logs + "/rank-0.log"))"),
        ])
    }

    private static func table(_ lines: [(String, String)]) -> String {
        lines.map { name, text in name + String(repeating: " ", count: 12 - name.count) + text }
            .joined(separator: "\n")
    }
}
