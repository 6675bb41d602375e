import Foundation
import Schedules

extension PerfettoTrace {
    /// Reads a trace that `text` wrote back; only counters are left out, since they follow from the spans.
    ///
    /// - Throws: `SimulationError` if it isn't such a trace.
    package static func timeline(json: String) throws -> Timeline {
        guard let root = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            let events = root["traceEvents"] as? [[String: Any]]
        else { throw SimulationError("expected a trace, an object with traceEvents; found something else") }
        let title = (root["otherData"] as? [String: Any])?["title"] as? String ?? ""
        var timeline = Timeline(title: title, ranks: 0)
        var tails: [Int: Timeline.Arrow] = [:]
        for (number, event) in events.enumerated() {
            guard let rank = event["pid"] as? Int, rank >= 0 else {
                throw SimulationError("trace event \(number): expected a pid of at least 0, the rank")
            }
            timeline.ranks = max(timeline.ranks, rank + 1)
            switch event["ph"] as? String {
            case "X": timeline.spans.append(try span(event, number: number, rank: rank))
            case "s":
                let (id, tail) = try tail(event, number: number, rank: rank)
                tails[id] = tail
            case "f":
                guard let id = event["id"] as? Int, var arrow = tails.removeValue(forKey: id) else {
                    throw SimulationError("trace event \(number): expected the id of an arrow that has begun")
                }
                arrow.toRank = rank
                timeline.arrows.append(arrow)
            default: break
            }
        }
        return timeline
    }

    private static func span(_ event: [String: Any], number: Int, rank: Int) throws -> Timeline.Span {
        guard let name = event["name"] as? String, let start = event["ts"] as? Double,
            let duration = event["dur"] as? Double, duration >= 0
        else { throw SimulationError("trace event \(number): expected name, ts and dur of a span") }
        return Timeline.Span(
            rank: rank, lane: event["tid"] as? Int ?? 0, content: action(name).map { .action($0) } ?? .label(name),
            start: start / 1e6, duration: duration / 1e6, processorTime: (event["tdur"] as? Double).map { $0 / 1e6 })
    }

    /// An arrow as far as its tail knows it.
    private static func tail(_ event: [String: Any], number: Int, rank: Int) throws -> (Int, Timeline.Arrow) {
        guard let id = event["id"] as? Int, let name = event["name"] as? String,
            let arguments = event["args"] as? [String: Any], let departure = arguments["departure_us"] as? Double,
            let arrival = arguments["arrival_us"] as? Double, let bytes = arguments["bytes"] as? Int
        else {
            throw SimulationError(
                "trace event \(number): expected id, name, bytes, departure_us and arrival_us of an arrow")
        }
        return (
            id,
            Timeline.Arrow(
                fromRank: rank, departure: departure / 1e6, toRank: rank, arrival: arrival / 1e6, bytes: bytes,
                label: name,
                action: action(name))
        )
    }

    /// The action that a name stands for; nil if it is a label.
    private static func action(_ name: String) -> Action? {
        let parts = name.dropFirst().split(whereSeparator: { ":.".contains($0) }).map { Int($0) }
        guard let letter = name.first, let kind = ActionKind(letter: letter), parts.count == 3, let stage = parts[0],
            let sequence = parts[1], let slice = parts[2],
            name == Action(kind, stage: stage, sequence: sequence, slice: slice).description
        else { return nil }
        return Action(kind, stage: stage, sequence: sequence, slice: slice)
    }
}
