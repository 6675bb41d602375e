import JSON
import Schedules

extension PerfettoTrace {
    /// Reads a trace that `text` wrote back; only counters are left out, since they follow from the spans.
    ///
    /// - Throws: `SimulationError` if it isn't such a trace.
    public static func timeline(json: String) throws -> Timeline {
        let bytes = Array(json.utf8)
        func fault(_ reason: String, at offset: Int) -> SimulationError {
            let (line, column) = JSONParser.place(of: offset, in: bytes)
            return SimulationError("line \(line), column \(column): \(reason)")
        }
        let root: JSONNode
        do { root = try JSONParser.parse(bytes) } catch let error as JSONError {
            throw fault("expected a trace, found no JSON: \(error.reason)", at: error.offset)
        }
        guard case .array(let events) = root["traceEvents"]?.value else {
            throw SimulationError("expected a trace, an object with traceEvents; found something else")
        }
        var timeline = Timeline(title: root["otherData"]?["title"]?.string ?? "", ranks: 0)
        var tails: [Int: Timeline.Arrow] = [:]
        for event in events {
            do {
                try timeline.add(event, &tails)
            } catch let error as EventFault {
                throw fault("a trace event: expected \(error.expected)", at: event.range.lowerBound)
            }
        }
        return timeline
    }
}

/// What an event of a trace should have had.
private struct EventFault: Error {
    let expected: String
}

extension Timeline {
    /// - Parameter tails: arrows that have begun
    fileprivate mutating func add(_ event: JSONNode, _ tails: inout [Int: Timeline.Arrow]) throws {
        guard let rank = event["pid"]?.integer(0..<ScheduleShape.largestRanks) else {
            throw EventFault(expected: "a pid, the rank, from 0 to \(ScheduleShape.largestRanks - 1)")
        }
        ranks = max(ranks, rank + 1)
        switch event["ph"]?.string {
        case "X": spans.append(try Self.span(event, rank: rank))
        case "s":
            let (id, tail) = try Self.tail(event, rank: rank)
            guard tails.updateValue(tail, forKey: id) == nil else {
                throw EventFault(expected: "an id of its own, found that of an arrow that has not ended")
            }
        case "f":
            guard let id = event["id"]?.integer(), var arrow = tails.removeValue(forKey: id) else {
                throw EventFault(expected: "the id of an arrow that has begun")
            }
            arrow.toRank = rank
            arrows.append(arrow)
        default: break
        }
    }

    private static func span(_ event: JSONNode, rank: Int) throws -> Timeline.Span {
        guard let name = event["name"]?.string, let start = event["ts"]?.seconds, let duration = event["dur"]?.seconds,
            duration >= 0
        else {
            throw EventFault(expected: "name, ts and dur of a span, within a million hours")
        }
        return Timeline.Span(
            rank: rank, lane: event["tid"]?.integer(0..<ScheduleShape.largestRanks) ?? 0,
            content: action(name).map { .action($0) } ?? .label(name), start: start, duration: duration,
            processorTime: event["tdur"]?.seconds)
    }

    /// An arrow as far as its tail knows it.
    private static func tail(_ event: JSONNode, rank: Int) throws -> (Int, Timeline.Arrow) {
        let arguments = event["args"]
        guard let id = event["id"]?.integer(), let name = event["name"]?.string,
            let departure = arguments?["departure_us"]?.seconds, let arrival = arguments?["arrival_us"]?.seconds,
            let bytes = arguments?["bytes"]?.integer(0..<Bounds.bytes.upperBound)
        else {
            throw EventFault(expected: "id, name, bytes, departure_us and arrival_us of an arrow")
        }
        var arrow = Timeline.Arrow(
            fromRank: rank, departure: departure, toRank: rank, arrival: arrival, bytes: bytes, action: action(name))
        arrow.label = name
        return (id, arrow)
    }

    /// The action that a name stands for; nil if it is a label.
    private static func action(_ name: String) -> Action? {
        let code = name.prefix { $0.isUppercase }
        guard let kind = ActionKind(code: code) else { return nil }
        let parts = name.dropFirst(code.count).split(whereSeparator: { ":.".contains($0) }).map { Int32($0) }
        guard parts.count == 3, let stage = parts[0], let sequence = parts[1], let slice = parts[2] else { return nil }
        let action = Action(kind, stage: Int(stage), sequence: Int(sequence), slice: Int(slice))
        return name == action.description ? action : nil
    }
}

extension JSONNode {
    /// Microseconds as seconds.
    fileprivate var seconds: Double? {
        guard let number, abs(number) <= Bounds.milliseconds.upperBound * 1e6 else { return nil }
        return number / 1e6
    }

    fileprivate func integer(_ range: Range<Int> = 0..<1 << 53) -> Int? {
        guard let number, number == number.rounded(), number >= Double(range.lowerBound),
            number < Double(range.upperBound)
        else { return nil }
        return Int(number)
    }
}
