import Foundation
import FoundationXML
import JSON
import Model
import Pipeline
import Testing
import Training

/// Runs side by side, made up.
@Suite struct ComparisonTests {
    /// A run of `steps` steps whose loss falls to `loss`; its held-out loss is `loss` at the sequence's end and 1 more
    /// at its beginning.
    private func run(
        _ path: String, seed: Int = 1, loss: Double = 2, state: ComparedRun.State = .finished, steps: Int = 50,
        change: (inout RunConfiguration) -> Void = { _ in }
    ) -> ComparedRun {
        var configuration = RunConfiguration()
        configuration.training.seed = seed
        configuration.run.directory = path
        configuration.data.sequence = 128
        change(&configuration)
        let bins = PositionBins(sequence: 128)
        let losses = (0..<bins.count).map { bin in
            MeanLoss(mean: loss + 1 - Double(bin) / Double(bins.count - 1), standardError: 0.1, targets: 20)
        }
        return ComparedRun(
            path: path, configuration: configuration, state: state,
            steps: (1...steps).map { metrics(step: $0, loss: loss + 3 / Double($0)) },
            positions: PositionLosses(
                step: steps, sequences: 10, bins: bins,
                all: MeanLoss(mean: loss, standardError: 0.1, targets: 1280), losses: losses))
    }

    private var seeds: [ComparedRun] {
        [
            run("runs/a-1", seed: 1, loss: 2), run("runs/b-1", seed: 1, loss: 1.5) { $0.optimizer.learningRate = 1e-3 },
            run("runs/a-2", seed: 2, loss: 2.2),
        ]
    }

    @Test func `runs that differ in seed and folder only are one row, with mean and deviation over the seeds`() throws {
        let groups = RunComparison(seeds).groups
        #expect(groups.map(\.name) == ["a", "b"])
        #expect(groups.map { $0.runs.map(\.path) } == [["runs/a-1", "runs/a-2"], ["runs/b-1"]])
        let loss = try #require(groups[0].heldOutLoss)
        #expect(abs(loss.mean - 2.1) < 1e-12 && abs(loss.deviation! - 0.02.squareRoot()) < 1e-12 && loss.count == 2)
        #expect(groups[1].heldOutLoss == SeedMean([1.5]))
        // The first half of the positions is above the mean of all.
        let half = try #require(groups[1].heldOutLoss(bins: 0..<32))
        #expect(abs(half.mean - (1.5 + 1 - 15.5 / 63)) < 1e-12)
    }

    @Test func `another architecture or number of steps is another row`() {
        let other = run("b", seed: 2) { $0.training.steps = 7 }
        let llama = run("c", seed: 3) { $0.choose(LlamaConfiguration.self) }
        let groups = RunComparison([run("a"), other, llama]).groups
        #expect(groups.count == 3)
    }

    @Test func `folders of one name are told apart by their paths`() {
        let groups = RunComparison([run("x/run"), run("y/run") { $0.optimizer.clip = 0.5 }]).groups
        #expect(groups.map(\.name) == ["x/run", "y/run"])
        // What two names have in common is a name where it ends with a word.
        #expect(RunComparison([run("one"), run("other", seed: 2)]).groups.map(\.name) == ["one"])
        #expect(RunComparison([run("a/try1"), run("a/try2", seed: 2)]).groups.map(\.name) == ["try"])
    }

    @Test func `differences are the keys that differ, with each row's value`() {
        let rows = RunComparison(seeds).differences.rows
        #expect(rows.map(\.key) == ["optimizer.learning_rate"] && rows[0].values == ["0.002", "0.001"])
    }

    @Test func `the table has a row for each group and stretches of the sequence`() {
        let text = RunComparison(seeds).text
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| a ") }
        #expect(rows.count == 2, "\(text)")
        #expect(rows.first?.contains("2.1000 ± 0.1414") == true, "\(text)")
        #expect(text.contains(" 0-7 |") && text.contains(" 64-127 |"), "\(text)")
        #expect(text.contains("optimizer.learning_rate"), "\(text)")
        // Every line of a table is equally wide.
        #expect(Set(rows.map(\.count)).count <= 2)
    }

    @Test func `the JSON reads back with the same figures`() throws {
        let root = try JSONParser.parse(RunComparison(seeds).json)
        let groups = try #require(root["groups"]?.elements)
        #expect(groups.count == 2)
        #expect(groups[0]["held_out_loss"]?["mean"]?.number.map { abs($0 - 2.1) < 1e-9 } == true)
        #expect(groups[0]["runs"]?.elements?.map { $0["seed"]?.integer } == [1, 2])
        #expect(groups[1]["held_out_loss"]?["deviation"]?.value == .null)
        #expect(groups[0]["parameters"]?.integer == 2_150_400)
        #expect(root["differences"]?.elements?.first?["key"]?.string == "optimizer.learning_rate")
    }

    @Test func `the best run has the least held-out loss; one that isn't finished is named`() throws {
        #expect(try RunComparison(seeds).best() == "runs/b-1")
        let error = #expect(throws: ComparisonError.self) {
            try RunComparison(seeds + [run("runs/c", state: .unfinished) { $0.training.steps = 80 }]).best()
        }
        #expect(error?.description.contains("runs/c isn't finished: it stands at step 50 of 80") == true)
    }

    @Test func `runs under way are compared as far as they are, and named`() {
        let comparison = RunComparison([run("a"), run("b", state: .running) { $0.optimizer.clip = 2 }])
        #expect(comparison.notes == ["b is running, at step 50 of 200"])
        #expect(comparison.text.contains("Note: b is running"))
    }

    @Test func `the picture has a curve in each panel for each group, inside of it`() {
        let svg = ComparisonSVG(RunComparison(seeds)).render()
        #expect(XMLParser(data: Data(svg.utf8)).parse())
        let curves = svg.matches(of: /<polyline points="([^"]*)"/).map { $0.output.1 }
        // In the legend and in three panels.
        #expect(curves.count == 2 + 3 * 2)
        #expect(svg.matches(of: /<polygon/).count == 3)
        for point in curves.flatMap({ $0.split(separator: " ") }) {
            let place = point.split(separator: ",").compactMap { Double($0) }
            #expect(place.count == 2 && (20...1060).contains(place[0]) && (40...900).contains(place[1]), "\(point)")
        }
    }

    @Test func `folders that hold no run are refused with a reason`() throws {
        let folder = try TemporaryFolder()
        func message(_ path: String) -> String {
            do {
                _ = try ComparedRun(path)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message(folder.file("none")).contains("there is no such folder"))
        #expect(message(try folder.write("file.toml", "".utf8)).contains("with --fair, configuration files"))
        #expect(message(folder.path).contains("it has no config.toml"))
        _ = try folder.write("config.toml", RunConfiguration().toml().utf8)
        #expect(message(folder.path).contains("has done no step yet"))
        _ = try folder.write("metrics.jsonl", "{}\n".utf8)
        #expect(message(folder.path).contains("no line of a step"))
        _ = try folder.write("metrics.jsonl", (metrics(step: 3).json + "\n").utf8)
        let run = try ComparedRun(folder.path)
        #expect(run.state == .unfinished && run.step == 3 && run.positions == nil)
        _ = try folder.write("positions.json", "{\"step\": 3}".utf8)
        #expect(message(folder.path).contains("expected the held-out loss over positions"))
    }
}
