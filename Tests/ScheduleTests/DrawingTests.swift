import Foundation
import Schedules
import Simulation
import Testing

struct DrawingTests {
    private static func timeline() throws -> Timeline {
        let table = try makeTable("1f1b", ranks: 3, sequences: 2, slices: 2).withRecompute()
        return try simulate(table, forward: 1e-3, input: 1e-3, weight: 1e-3, message: 1e-4).timeline(title: "a & <b>")
    }

    @Test("the trace is JSON with a span per action and both ends of an arrow per message inside the right spans")
    func perfetto() throws {
        let timeline = try Self.timeline()
        let json = try JSONSerialization.jsonObject(with: Data(PerfettoTrace(timeline).text.utf8))
        let all = try #require((json as? [String: Any])?["traceEvents"] as? [[String: Any]])
        func events(_ phase: String) -> [[String: Any]] { all.filter { $0["ph"] as? String == phase } }
        func number(_ event: [String: Any], _ key: String) -> Double { (event[key] as? NSNumber)?.doubleValue ?? .nan }
        let spans = events("X")
        #expect(spans.count == timeline.spans.count)
        #expect(events("s").count == 2 * 2 * 4 && events("f").count == events("s").count)
        func span(at event: [String: Any]) -> [String: Any]? {
            spans.first {
                number($0, "pid") == number(event, "pid") && number($0, "ts") <= number(event, "ts")
                    && number(event, "ts") < number($0, "ts") + number($0, "dur")
            }
        }
        for (send, receive) in zip(events("s"), events("f")) {
            #expect(number(send, "id") == number(receive, "id"))
            let (tail, head) = (span(at: send), span(at: receive))
            let producer = try #require(tail?["name"] as? String)
            let consumer = try #require(head?["name"] as? String)
            #expect(producer == send["name"] as? String)
            #expect(producer.first == consumer.first && producer.dropFirst(2) == consumer.dropFirst(2))
            #expect(number(receive, "ts") >= number(send, "ts") + 100)
        }
        let names = events("M").compactMap { ($0["args"] as? [String: Any])?["name"] as? String }
        #expect(names.filter { $0.hasPrefix("rank") } == ["rank 0", "rank 1", "rank 2"])
        #expect(events("C").last.map { number($0["args"] as! [String: Any], "units") } == 0)
    }

    @Test("the picture is well-formed XML that labels its cells and escapes its title")
    func svg() throws {
        let text = TimelineSVG(try Self.timeline(), subtitle: "x > y", showsMessages: true).text
        #expect(text.contains("a &amp; &lt;b&gt;") && text.contains("x &gt; y"))
        #expect(text.components(separatedBy: "<line").count - 1 >= 16)
        for label in ["0.0", "0.1", "1.0", "1.1"] {
            #expect(text.components(separatedBy: ">\(label)</text>").count - 1 == 9)
        }
        #expect(!text.contains("nan") && !text.contains("inf"))
    }

    @Test("a drawing in the terminal keeps its width and shows every rank")
    func terminal() throws {
        for columns in [40, 80, 133] {
            let lines = TerminalDrawing(try Self.timeline(), columns: columns).text.split(separator: "\n")
            #expect(lines.count == 5)
            #expect(lines.prefix(3).allSatisfy { $0.count == columns })
        }
    }

    @Test("drawings of an empty timeline don't fail")
    func empty() {
        let timeline = Timeline(title: "empty", ranks: 1)
        #expect(TimelineSVG(timeline).text.hasSuffix("</svg>\n"))
        #expect(TerminalDrawing(timeline).text.contains("rank 0"))
        #expect(PerfettoTrace(timeline).text.contains("traceEvents"))
    }
}
