import Figures
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
            // The same kind for the same unit, at another stage.
            #expect(producer.prefix { $0.isUppercase } == consumer.prefix { $0.isUppercase })
            #expect(producer.split(separator: ":").last == consumer.split(separator: ":").last)
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

    @Test("however long a step is and however many ranks it has, its picture and its drawing stay small")
    func bounded() throws {
        for (ranks, sequences) in [(4, 20_000), (2000, 8)] {
            let table = try makeTable("1f1b", ranks: ranks, sequences: sequences, slices: 1)
            let timeline = try simulate(table).timeline(title: "long")
            let svg = TimelineSVG(timeline).text
            #expect(svg.utf8.count < 8_000_000 && !svg.contains("nan"))
            #expect(svg.components(separatedBy: ">rank ").count - 1 <= 256)
            #expect(TerminalDrawing(timeline).text.split(separator: "\n").count <= 130)
        }
        let table = try makeTable("1f1b", ranks: 2000, sequences: 8, slices: 1)
        let timeline = try simulate(table).timeline(title: "wide")
        #expect(TimelineSVG(timeline, subtitle: "x").text.contains("every 8th of 2000 ranks is drawn"))
        #expect(TerminalDrawing(timeline).text.contains("every 16th of 2000 ranks"))
    }

    @Test(
        """
        cells too narrow to be told apart keep the share of each colour: a row of forwards and gaps stays paler \
        than one without
        """
    )
    func bundles() {
        func picture(_ gap: Double) -> String {
            var timeline = Timeline(title: "", ranks: 1)
            for i in 0..<20_000 {
                let action = Action(.forward, stage: 0, sequence: 0, slice: i)
                timeline.spans.append(.init(rank: 0, content: .action(action), start: Double(i), duration: 1 - gap))
            }
            return TimelineSVG(timeline).text
        }
        let plain = "fill=\"#3f7fbf\""
        // In the legend once, and in the row where nothing is idle.
        #expect(picture(0).components(separatedBy: plain).count - 1 == 2)
        #expect(picture(0.5).components(separatedBy: plain).count - 1 == 1)
        #expect(picture(0.5).utf8.count < 60_000)
    }

    @Test("figures have no more digits than one can read, and a step that takes no time is drawn as that")
    func extremes() throws {
        #expect((3600 * 1e12).asTime == "1e+12 h" && 1e-320.asTime.count < 14)
        #expect(
            1e300.significant == "1e+300" && 1_234_567.0.significant == "1234567" && (-0.5).significant == "-0.5")
        let table = try makeTable("1f1b", ranks: 2, sequences: 2, slices: 1)
        let nothing = try simulate(table, forward: 0, input: 0, weight: 0)
        let text = SimulationReport(nothing, name: "1f1b").text
        #expect(text.contains("makespan 0 s, idle 0.0 %") && text.contains("critical path: none"))
        #expect(TerminalDrawing(nothing.timeline(title: "")).text.contains("nothing to draw"))
        for time in [0, 1e-320, 1e-12, 1e12] {
            let timeline = try simulate(table, forward: time, input: time, weight: time).timeline(title: "t")
            for text in [TimelineSVG(timeline).text, TerminalDrawing(timeline).text] {
                #expect(!text.contains("nan") && !text.contains("inf") && !text.contains("0000000"))
            }
        }
    }

    @Test("a trace with what no trace has is refused with its place")
    func hostileTraces() {
        func event(_ members: String) -> String { "{\"traceEvents\": [\n{\(members)}]}" }
        for (text, expected) in [
            ("[", "line 1, column 2: expected a trace, found no JSON"), ("{}", "expected a trace"),
            (event("\"ph\": \"X\", \"pid\": 9223372036854775807"), "line 2, column 1: a trace event: expected a pid"),
            (event("\"ph\": \"X\", \"pid\": -1"), "expected a pid"),
            (event("\"pid\": 0, \"pid\": 1"), "\"pid\" is given twice"),
            (event("\"ph\": \"X\", \"pid\": 0, \"name\": \"x\", \"ts\": 1e300, \"dur\": 1"), "within a million hours"),
            (event("\"ph\": \"f\", \"pid\": 0, \"id\": 3"), "an arrow that has begun"),
        ] {
            let error = #expect(throws: SimulationError.self) { try PerfettoTrace.timeline(json: text) }
            #expect(error?.description.contains(expected) ?? false, "\(error?.description ?? "")")
        }
        // No action has such a number: it is a label.
        let far = event("\"ph\": \"X\", \"pid\": 0, \"name\": \"F99999999999:0.0\", \"ts\": 0, \"dur\": 1")
        #expect((try? PerfettoTrace.timeline(json: far))?.spans.first?.content == .label("F99999999999:0.0"))
    }

    @Test("drawings of an empty timeline don't fail")
    func empty() {
        let timeline = Timeline(title: "empty", ranks: 1)
        #expect(TimelineSVG(timeline).text.hasSuffix("</svg>\n"))
        #expect(TerminalDrawing(timeline).text.contains("rank 0"))
        #expect(PerfettoTrace(timeline).text.contains("traceEvents"))
    }
}
