import Hardware
import MPI
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
        let own = TraceRecord(spans: tracer.spans, ends: tracer.ends)
        let bytes = own.wireBytes
        let counts = try endpoint.gather(bytes.count)
        if endpoint.rank != 0 {
            try bytes.withUnsafeBytes { bytes in
                let id = try endpoint.startSend(bytes, to: 0, tag: tag)
                try endpoint.wait(id, for: "sending its trace")
            }
            return nil
        }
        let others = try (1..<endpoint.size).map { rank in
            var bytes = [UInt8](repeating: 0, count: counts[rank])
            try bytes.withUnsafeMutableBytes { bytes in
                let id = try endpoint.startReceive(into: bytes, from: rank, tag: tag)
                try endpoint.wait(id, for: "the trace of rank \(rank)")
            }
            return try TraceRecord(wireBytes: bytes, from: "rank \(rank)")
        }
        return TraceRecord.timeline([own] + others, title: title)
    }
}

/// What one rank traced.
private struct TraceRecord: WireValue {
    let spans: [Timeline.Span]
    let ends: [Tracer.End]

    init(spans: [Timeline.Span], ends: [Tracer.End]) {
        self.spans = spans
        self.ends = ends
    }

    func write(to writer: inout WireWriter) {
        spans.count.write(to: &writer)
        for span in spans { Self.write(span, to: &writer) }
        ends.count.write(to: &writer)
        for end in ends {
            end.departs.write(to: &writer)
            for number in [end.from, end.to, end.tag, end.bytes] { number.write(to: &writer) }
            end.time.write(to: &writer)
            Self.write(end.action, to: &writer)
        }
    }

    init(from reader: inout WireReader) throws {
        spans = try (0..<reader.count(of: "spans")).map { _ in try Self.span(from: &reader) }
        ends = try (0..<reader.count(of: "ends of messages")).map { _ in
            let departs: Bool = try reader.next()
            let (from, to, tag, bytes): (Int, Int, Int, Int) = try (
                reader.next(), reader.next(), reader.next(), reader.next()
            )
            let time: Double = try reader.next()
            return Tracer.End(
                departs: departs, from: from, to: to, tag: tag, time: time, bytes: bytes,
                action: try Self.action(from: &reader))
        }
    }

    private static func write(_ action: Action, to writer: inout WireWriter) {
        for number in [Int(action.kind.rawValue), action.stage, action.sequence, action.slice] {
            number.write(to: &writer)
        }
    }

    private static func action(from reader: inout WireReader) throws -> Action {
        let kind: Int = try reader.next()
        guard let kind = UInt8(exactly: kind).flatMap(ActionKind.init) else {
            throw reader.fault("a kind of action", found: "\(kind)", size: 8)
        }
        return Action(kind, stage: try reader.next(), sequence: try reader.next(), slice: try reader.next())
    }

    private static func write(_ span: Timeline.Span, to writer: inout WireWriter) {
        span.rank.write(to: &writer)
        switch span.content {
        case .action(let action):
            true.write(to: &writer)
            write(action, to: &writer)
        case .label(let text):
            false.write(to: &writer)
            text.write(to: &writer)
        }
        span.start.write(to: &writer)
        span.duration.write(to: &writer)
        span.processorTime.write(to: &writer)
    }

    private static func span(from reader: inout WireReader) throws -> Timeline.Span {
        let rank: Int = try reader.next()
        let isAction: Bool = try reader.next()
        let content: Timeline.Content =
            isAction ? .action(try action(from: &reader)) : .label(try reader.next(String.self))
        return Timeline.Span(
            rank: rank, content: content, start: try reader.next(), duration: try reader.next(),
            processorTime: try reader.next())
    }

    private struct Key: Hashable {
        let from, to, tag: Int
    }

    static func timeline(_ records: [TraceRecord], title: String) -> Timeline {
        var departures: [Key: [Tracer.End]] = [:]
        var arrivals: [Key: [Double]] = [:]
        for end in records.flatMap(\.ends) {
            let key = Key(from: end.from, to: end.to, tag: end.tag)
            if end.departs {
                departures[key, default: []].append(end)
            } else {
                arrivals[key, default: []].append(end.time)
            }
        }
        var arrows: [Timeline.Arrow] = []
        for (key, sent) in departures {
            // The same tag once a step: the first sent is the first to arrive.
            for (departure, arrival) in zip(sent, arrivals[key] ?? []) {
                arrows.append(
                    Timeline.Arrow(
                        fromRank: key.from, departure: departure.time, toRank: key.to,
                        arrival: max(arrival, departure.time), bytes: departure.bytes, action: departure.action))
            }
        }
        let spans = records.flatMap(\.spans).sorted { ($0.rank, $0.start) < ($1.rank, $1.start) }
        arrows.sort { ($0.departure, $0.fromRank) < ($1.departure, $1.fromRank) }
        return Timeline(title: title, ranks: records.count, spans: spans, arrows: arrows)
    }
}
