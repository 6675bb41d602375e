import Foundation
import TestSupport
import Testing
import Training

/// `gecko compare` of real runs, and the script of the controlled comparison.
@Suite(.serialized) struct CompareTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func positions(_ space: Workspace, _ run: String) throws -> String {
        try String(contentsOfFile: "\(space.path)/\(run)/positions.json", encoding: .utf8)
    }

    @Test func `the loss over positions is the same in every layout, and its mean the held-out loss`() async throws {
        let space = try Workspace()
        func train(_ name: String, _ overrides: [String], ranks: Int = 0) async throws {
            let outcome = try await space.train(
                overrides + ["--run.directory", space.path + "/" + name], ranks: ranks)
            #expect(outcome.exitCode == 0, "\(outcome.output)")
        }
        try await train("one", ["--machine.threads", "2"])
        try await train("two", ["--pipeline.stages", "2", "--pipeline.schedule", "zb-h1"], ranks: 2)
        let one = try positions(space, "one")
        #expect(try positions(space, "two") == one)
        let losses = try #require(try PositionLosses(file: space.path + "/one/positions.json"))
        let last = try #require(try MetricsFile(space.path + "/one/metrics.jsonl")?.lastEvaluation()?.heldOutLoss)
        #expect(abs(losses.all.mean - last) < 1e-11 && losses.step == 3 && losses.sequences == 2)
        let mean = losses.losses.reduce(0) { $0 + $1.mean * Double($1.targets) } / Double(losses.all.targets)
        #expect(abs(mean - last) < 1e-9)

        try await train("other", ["--training.seed", "2"])
        let table = try await space.gecko(
            "compare", space.path + "/one", space.path + "/two", space.path + "/other", "--svg",
            space.path + "/loss.svg")
        #expect(table.exitCode == 0, "\(table.output)")
        #expect(table.output.contains("| pipeline.stages "), "\(table.output)")
        #expect(FileManager.default.fileExists(atPath: space.path + "/loss.svg"))
        let best = try await space.gecko("compare", "--best", space.path + "/one", space.path + "/other")
        #expect([space.path + "/one\n", space.path + "/other\n"].contains(best.output), "\(best.output)")
        let none = try await space.gecko("compare", space.path)
        #expect(none.exitCode == 1 && none.output.contains("it is no run's folder"), "\(none.output)")
    }

    @Test func `a comparison that isn't fair ends with 1 and names the difference`() async throws {
        let space = try Workspace()
        let other = try Workspace("llama")
        let outcome = try await space.gecko("compare", "--fair", space.path + "/run.toml", other.path + "/run.toml")
        #expect(outcome.exitCode == 1 && outcome.output.contains("- parameters without embeddings: "))
        #expect(outcome.output.contains("- data.path: "), "\(outcome.output)")
        let alone = try await space.gecko("compare", "--fair", space.path + "/run.toml")
        #expect(alone.exitCode == 64, "\(alone.output)")
    }

    /// The script, cut off by a signal in the middle and started again.
    @Test func `the controlled comparison goes on where it was stopped`() async throws {
        let space = try Workspace(corpus: (0..<4000).map { "\($0 * $0 % 977) geese, \($0 * 7 % 31) swans. " }.joined())
        let options = """
            --text \(space.path)/corpus.txt --tokens 4096 --sequence 1024 --batch 1 --only llama,mega --seeds 1 \
            --folder \(space.path)/compared
            """
        try space.write(
            "stop.sh",
            """
            bash \(Self.root)/jobs/compare.sh \(options) &
            until [[ -e \(space.path)/compared/grid/mega-x1/metrics.jsonl ]]; do sleep 0.02; done
            kill -TERM $!
            wait $!
            """)
        let environment = ["GECKO": Mpirun.programs.appendingPathComponent("gecko").path]
        let cut = try await Mpirun.run("/bin/bash", [space.path + "/stop.sh"], ranks: 0, environment: environment)
        #expect(cut.exitCode == 75 && cut.output.contains("the same command goes on"), "\(cut.output)")
        let first = space.path + "/compared/grid/llama-x1/model.safetensors"
        let before = try FileManager.default.attributesOfItem(atPath: first)[.modificationDate] as? Date

        let script = ["\(Self.root)/jobs/compare.sh"] + options.split(separator: " ").map(String.init)
        let outcome = try await Mpirun.run("/bin/bash", script, ranks: 0, environment: environment, limit: 120)
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        #expect(try FileManager.default.attributesOfItem(atPath: first)[.modificationDate] as? Date == before)
        let compared = space.path + "/compared/"
        func text(_ name: String) throws -> String { try String(contentsOfFile: compared + name, encoding: .utf8) }
        #expect(try text("table.md").contains("| llama") && text("table.md").contains("| mega"))
        #expect(try text("rates.txt").split(separator: "\n").count == 3)
        #expect(try text("fairness.txt").contains("The comparison is fair"))
        #expect(try text("comparison.json").hasPrefix("{\"groups\""))
        #expect(try text("loss.svg").contains("held-out loss over the position"))
        // Nothing is left of a finished run but its figures and its model.
        #expect(!FileManager.default.fileExists(atPath: compared + "llama-1/checkpoints"))

        let again = try await Mpirun.run("/bin/bash", script, ranks: 0, environment: environment)
        #expect(again.exitCode == 0 && !again.output.contains("tokens, about"), "\(again.output)")
        let other = try await Mpirun.run(
            "/bin/bash", script + ["--tokens", "8192"], ranks: 0, environment: environment)
        #expect(other.exitCode == 64 && other.output.contains("comparison of other settings"), "\(other.output)")
    }
}
