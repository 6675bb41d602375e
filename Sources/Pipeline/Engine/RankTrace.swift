import Hardware
import Schedules

/// A rank's timeline of some steps, while one is kept.
final class RankTrace {
    private let rank: RankContext
    private var endpoint: any Endpoint { rank.endpoint }
    private var tag: Int { rank.tags.trace }
    private(set) var tracer: Tracer?

    init(_ rank: RankContext) { self.rank = rank }

    /// Starts a trace on all ranks at once.
    func begin() throws {
        let origin = try ClockAlignment.commonMoment(endpoint, tag: tag)
        let rank = rank
        tracer = Tracer(rank: endpoint.rank, origin: origin) { rank.worldRank($0) }
    }

    /// Runs a phase of the step, on the timeline if one is kept.
    func timed<Value>(_ phase: StepPhase, _ body: () throws -> Value) rethrows -> Value {
        guard let tracer else { return try body() }
        let start = Tracer.Moment.now
        let value = try body()
        tracer.span(.label(phase.rawValue), since: start)
        return value
    }

    /// Ends the trace and brings it together on world rank 0; nil elsewhere.
    func end(title: String) throws -> Timeline? {
        guard let tracer else { return nil }
        self.tracer = nil
        let own = TraceCode.encode(tracer)
        let counts = try endpoint.allGather([Double(own.count)]).map { Int($0[0]) }
        if endpoint.rank != 0 {
            try own.withUnsafeBytes { bytes in
                let id = try endpoint.startSend(bytes, to: 0, tag: tag)
                try endpoint.wait(id, for: "sending its trace")
            }
            return nil
        }
        var parts = [own]
        for rank in 1..<endpoint.size {
            var values = [Double](repeating: 0, count: counts[rank])
            try values.withUnsafeMutableBytes { bytes in
                let id = try endpoint.startReceive(into: bytes, from: rank, tag: tag)
                try endpoint.wait(id, for: "the trace of rank \(rank)")
            }
            parts.append(values)
        }
        return TraceCode.timeline(parts, title: title)
    }
}

/// A rank's trace as numbers: spans, then message ends.
private enum TraceCode {
    static let spanWidth = 8
    static let endWidth = 10

    static func encode(_ tracer: Tracer) -> [Double] {
        var out = [Double(tracer.spans.count)]
        for s in tracer.spans {
            switch s.content {
            case .action(let a):
                out += [
                    Double(s.rank), Double(a.kind.rawValue), Double(a.stage), Double(a.sequence), Double(a.slice),
                ]
            case .label(let text):
                guard let i = StepPhase.allCases.firstIndex(where: { $0.rawValue == text }) else {
                    preconditionFailure("no code for the label \(text)")
                }
                out += [Double(s.rank), -1, Double(i), 0, 0]
            }
            // A tracer's spans always have their processor time.
            out += [s.start, s.duration, s.processorTime ?? 0]
        }
        for e in tracer.ends {
            out += [
                e.departs ? 1 : 0, Double(e.from), Double(e.to), Double(e.tag), e.time, Double(e.bytes),
                Double(e.action.kind.rawValue), Double(e.action.stage), Double(e.action.sequence),
                Double(e.action.slice),
            ]
        }
        return out
    }

    private struct Key: Hashable {
        let from, to, tag: Int
    }

    static func timeline(_ parts: [[Double]], title: String) -> Timeline {
        var spans: [Timeline.Span] = []
        var departures: [Key: [(time: Double, bytes: Int, action: Action)]] = [:]
        var arrivals: [Key: [Double]] = [:]
        for part in parts {
            let count = Int(part[0])
            for i in 0..<count {
                let v = part[(1 + i * spanWidth)..<(1 + (i + 1) * spanWidth)].map { $0 }
                let content: Timeline.Content =
                    v[1] < 0
                    ? .label(StepPhase.allCases[Int(v[2])].rawValue)
                    : .action(
                        Action(
                            ActionKind(rawValue: UInt8(v[1]))!, stage: Int(v[2]), sequence: Int(v[3]), slice: Int(v[4]))
                    )
                spans.append(
                    Timeline.Span(
                        rank: Int(v[0]), content: content, start: v[5], duration: v[6], processorTime: v[7]))
            }
            for i in stride(from: 1 + count * spanWidth, to: part.count, by: endWidth) {
                let v = part[i..<(i + endWidth)].map { $0 }
                let key = Key(from: Int(v[1]), to: Int(v[2]), tag: Int(v[3]))
                if v[0] == 1 {
                    let action = Action(
                        ActionKind(rawValue: UInt8(v[6]))!, stage: Int(v[7]), sequence: Int(v[8]), slice: Int(v[9]))
                    departures[key, default: []].append((v[4], Int(v[5]), action))
                } else {
                    arrivals[key, default: []].append(v[4])
                }
            }
        }
        var arrows: [Timeline.Arrow] = []
        for (key, sent) in departures {
            // The same tag once a step: the first sent is the first to arrive.
            for (d, arrival) in zip(sent, arrivals[key] ?? []) {
                arrows.append(
                    Timeline.Arrow(
                        fromRank: key.from, departure: d.time, toRank: key.to, arrival: max(arrival, d.time),
                        bytes: d.bytes, action: d.action))
            }
        }
        spans.sort { ($0.rank, $0.start) < ($1.rank, $1.start) }
        arrows.sort { ($0.departure, $0.fromRank) < ($1.departure, $1.fromRank) }
        return Timeline(title: title, ranks: parts.count, spans: spans, arrows: arrows)
    }
}
