import JSON
import Schedules

/// A timeline as a Chrome trace, which Perfetto and chrome://tracing open: a process per rank, a thread per lane, a
/// flow arrow from each send to the action that receives it, and a counter of the units that a rank holds.
public struct PerfettoTrace {
    private let timeline: Timeline

    /// Most spans of a trace that is written: what viewers still open, some hundred megabytes.
    public static let mostSpans = 500_000

    /// A trace of what a timeline shows.
    public init(_ timeline: Timeline) { self.timeline = timeline }

    /// The complete JSON document.
    public var text: String {
        var text =
            "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"program\":\"gecko\",\"title\":"
            + "\(JSONText.quoted(timeline.title))},\"traceEvents\":["
        var separator = "\n"
        func add(_ event: String) {
            text += separator + "{" + event + "}"
            separator = ",\n"
        }
        names(add)
        for span in timeline.spans { add(complete(span)) }
        counters(add)
        flows(add)
        return text + "\n]}\n"
    }

    private func names(_ add: (String) -> Void) {
        var lanes = [Set<Int>](repeating: [0], count: timeline.ranks)
        for span in timeline.spans { lanes[span.rank].insert(span.lane) }
        for rank in 0..<timeline.ranks {
            add("\"name\":\"process_name\",\"ph\":\"M\",\"pid\":\(rank),\"tid\":0,\"args\":{\"name\":\"rank \(rank)\"}")
            add(
                "\"name\":\"process_sort_index\",\"ph\":\"M\",\"pid\":\(rank),\"tid\":0,"
                    + "\"args\":{\"sort_index\":\(rank)}"
            )
            for lane in lanes[rank].sorted() {
                let name = lane == 0 ? "actions" : "lane \(lane)"
                add(
                    "\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":\(rank),\"tid\":\(lane),"
                        + "\"args\":{\"name\":\"\(name)\"}")
            }
        }
    }

    private func complete(_ span: Timeline.Span) -> String {
        let place =
            "\"ph\":\"X\",\"ts\":\(Self.microseconds(span.start)),\"dur\":\(Self.microseconds(span.duration)),"
            + (span.processorTime.map { "\"tdur\":\(Self.microseconds($0))," } ?? "")
            + "\"pid\":\(span.rank),\"tid\":\(span.lane)"
        switch span.content {
        case .action(let action):
            return
                "\"name\":\"\(action)\",\"cat\":\"\(action.kind.title)\",\(place),\"args\":{\"stage\":\(action.stage),"
                + "\"sequence\":\(action.sequence),\"slice\":\(action.slice)}"
        case .label(let label):
            return "\"name\":\(JSONText.quoted(label)),\"cat\":\"step\",\(place),\"args\":{}"
        }
    }

    private func counters(_ add: (String) -> Void) {
        var held = [Int](repeating: 0, count: timeline.ranks)
        for span in timeline.spans.sorted(by: { $0.start < $1.start }) {
            guard case .action(let action) = span.content else { continue }
            let change = action.kind == .forward ? 1 : action.kind.givesWeightGradient ? -1 : 0
            guard change != 0 else { continue }
            held[span.rank] += change
            add(
                "\"name\":\"units held\",\"ph\":\"C\","
                    + "\"ts\":\(Self.microseconds(change > 0 ? span.start : span.end)),\"pid\":\(span.rank),"
                    + "\"args\":{\"units\":\(held[span.rank])}")
        }
    }

    private func flows(_ add: (String) -> Void) {
        let consumers = Consumers(timeline)
        for (number, arrow) in timeline.arrows.enumerated() {
            // An arrow hangs on the span around its time, so its tail goes just inside the producer.
            var tail = arrow.departure
            if let producer = consumers.producer(of: arrow) {
                tail = min(tail, max(producer.start, producer.end - 1e-8, producer.start + producer.duration * 0.999))
            }
            let head = consumers.start(of: arrow) ?? arrow.arrival
            let name = "\"name\":\(JSONText.quoted(arrow.label)),\"cat\":\"message\",\"id\":\(number)"
            add(
                "\(name),\"ph\":\"s\",\"ts\":\(Self.microseconds(tail)),\"pid\":\(arrow.fromRank),\"tid\":0,"
                    + "\"args\":{\"bytes\":\(arrow.bytes),\"departure_us\":\(Self.microseconds(arrow.departure)),"
                    + "\"arrival_us\":\(Self.microseconds(arrow.arrival))}")
            add(
                "\(name),\"ph\":\"f\",\"bp\":\"e\",\"ts\":\(Self.microseconds(head)),\"pid\":\(arrow.toRank),\"tid\":0,"
                    + "\"args\":{}")
        }
    }

    /// Three digits behind the point, without the detour over a format: a trace has millions of them.
    private static func microseconds(_ seconds: Double) -> String {
        let nanoseconds = Int(saturating: (seconds * 1e9).rounded())
        let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        let digits = "\(rest)"
        return (nanoseconds < 0 ? "-" : "") + "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
}
