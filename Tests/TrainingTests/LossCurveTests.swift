import Foundation
import FoundationXML
import Testing
import Training

@Suite struct LossCurveTests {
    /// Elements of a well-formed document by name, and its texts.
    private final class Reader: NSObject, XMLParserDelegate {
        var elements: [String: [[String: String]]] = [:]
        var texts: [String] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements[name, default: []].append(attributes)
            if name == "text" { texts.append("") }
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) {
            if !texts.isEmpty { texts[texts.count - 1] += string }
        }
    }

    private func read(_ svg: String) -> Reader {
        let reader = Reader()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = reader
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        return reader
    }

    /// As a run draws it, whose steps come one after the other.
    private func curve(_ title: String, _ run: [StepMetrics]) -> LossCurveSVG {
        var (train, heldOut) = (LossHistory(), LossHistory(limit: 1024))
        for step in run {
            train.add(step: step.step, loss: step.loss)
            if let loss = step.heldOutLoss { heldOut.add(step: step.step, loss: loss) }
        }
        return LossCurveSVG(title: title, train: train, heldOut: heldOut, tokens: run.last?.tokens ?? 0)
    }

    private func points(_ polyline: [String: String]) -> [(x: Double, y: Double)] {
        (polyline["points"] ?? "").split(separator: " ").map { pair in
            let numbers = pair.split(separator: ",").compactMap { Double($0) }
            return (numbers[0], numbers[1])
        }
    }

    @Test func `all steps, a smoothed line and the held-out points are drawn inside the panel`() throws {
        let run = (1...200).map { step in
            metrics(step: step, loss: 1 + 4 / Double(step), heldOutLoss: step % 50 == 0 ? 1.2 : nil)
        }
        let svg = read(curve("a <run> & \"more\"", run).render())
        let lines = try #require(svg.elements["polyline"])
        #expect(lines.count == 3)
        #expect(lines.map { points($0).count } == [200, 200, 4])
        #expect(svg.elements["circle"]?.count == 5)
        for point in lines.flatMap(points) {
            #expect((74...886).contains(point.x) && (78...440).contains(point.y))
        }
        // A falling loss falls in the picture, and steps go to the right.
        let curve = points(lines[0])
        #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.x < $1.x && $0.y <= $1.y })
        #expect(svg.texts.contains { $0.contains("a <run> & \"more\"") })
        #expect(svg.texts.contains { $0.contains("200 steps") && $0.contains("819k tokens") })
        #expect(svg.texts.contains { $0.contains("1.200 nats = 1.731 bits per byte") })
    }

    @Test func `the two axes agree`() throws {
        let run = (1...50).map { metrics(step: $0, loss: 6 - Double($0) / 10) }
        let svg = curve("axes", run).render()
        func marks(_ anchor: String, x: Double) -> [(value: Double, y: Double)] {
            let pattern = /<text x="([0-9.]+)" y="([0-9.]+)"[^>]*text-anchor="(\w+)"[^>]*>([0-9.]+)</
            return svg.matches(of: pattern).compactMap { match in
                guard String(match.3) == anchor, Double(match.1) == x, let y = Double(match.2),
                    let value = Double(match.4)
                else { return nil }
                return (value, y)
            }
        }
        let nats = marks("end", x: 64)
        let bits = marks("start", x: 896)
        #expect(nats.count >= 4 && bits.count >= 4)
        let slope = (nats[1].y - nats[0].y) / (nats[1].value - nats[0].value)
        for mark in bits {
            let expected = nats[0].y + slope * (mark.value * 0.6931471805599453 - nats[0].value)
            #expect(abs(mark.y - expected) < 0.02)
        }
    }

    @Test func `a long run is thinned, its extremes and ends kept`() throws {
        let run = (1...50_000).map { metrics(step: $0, loss: $0 == 31_234 ? 9 : 2 + sin(Double($0))) }
        let svg = read(curve("long", run).render())
        let lines = try #require(svg.elements["polyline"]).map(points)
        #expect(lines.allSatisfy { $0.count > 500 && $0.count < 2000 })
        let top = try #require(lines[0].min { $0.y < $1.y })
        #expect(abs(top.x - (74 + 812 * 31_234 / 50_000)) < 0.1)
        #expect(lines[0].last?.x == 886)
        #expect(lines[1].last?.x == 886)
        // The mean of a sine: level away from the spike.
        #expect(lines[1].prefix(800).allSatisfy { abs($0.y - lines[1][100].y) < 6 })
    }

    @Test func `losses that are not finite, one step and no step still give a picture`() {
        let some = [metrics(step: 1, loss: .nan), metrics(step: 2), metrics(step: 3, loss: .infinity)]
        #expect(read(curve("some", some).render()).elements["circle"]?.isEmpty == false)
        let none = read(curve("none", [metrics(step: 1, loss: .nan)]).render())
        #expect(none.texts.contains { $0.contains("no finite loss") })
        let equal = read(curve("flat", [metrics(step: 1), metrics(step: 2)]).render())
        #expect(equal.elements["polyline"]?.count == 2)
        for svg in [some, []].map({ curve("t", $0).render() }) {
            #expect(!svg.contains("nan") && !svg.contains("inf\""))
        }
    }
}
