import Foundation
import Schedules

extension PerfettoTrace {
    /// Reads a trace that `text` wrote back to its spans; arrows and counters are left out, since they follow from the spans.
    ///
    /// - Throws: `SimulationError` if it isn't such a trace.
    package static func timeline(json: String) throws -> Timeline {
        guard let root = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            let events = root["traceEvents"] as? [[String: Any]]
        else { throw SimulationError("expected a trace, an object with traceEvents; found something else") }
        let title = (root["otherData"] as? [String: Any])?["title"] as? String ?? ""
        var timeline = Timeline(title: title, ranks: 0)
        for (number, event) in events.enumerated() {
            guard let rank = event["pid"] as? Int, rank >= 0 else {
                throw SimulationError("trace event \(number): expected a pid of at least 0, the rank")
            }
            timeline.ranks = max(timeline.ranks, rank + 1)
            guard event["ph"] as? String == "X" else { continue }
            guard let name = event["name"] as? String, let start = event["ts"] as? Double,
                let duration = event["dur"] as? Double, duration >= 0
            else { throw SimulationError("trace event \(number): expected name, ts and dur of a span") }
            timeline.spans.append(
                .init(
                    rank: rank, lane: event["tid"] as? Int ?? 0, content: content(name), start: start / 1e6,
                    duration: duration / 1e6))
        }
        return timeline
    }

    private static func content(_ name: String) -> Timeline.Content {
        let parts = name.dropFirst().split(whereSeparator: { ":.".contains($0) }).map { Int($0) }
        guard let letter = name.first, let kind = ActionKind(letter: letter), parts.count == 3, let stage = parts[0],
            let sequence = parts[1], let slice = parts[2],
            name == Action(kind, stage: stage, sequence: sequence, slice: slice).description
        else { return .label(name) }
        return .action(Action(kind, stage: stage, sequence: sequence, slice: slice))
    }
}
