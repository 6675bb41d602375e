import Foundation
import TestSupport
import Testing

/// `gecko simulate` as scripts use it.
@Suite(.serialized) struct SimulateTests {
    private func simulate(_ arguments: [String]) async throws -> Mpirun.Outcome {
        try await Mpirun.run("gecko", ["simulate"] + arguments, ranks: 0)
    }

    private func json(_ arguments: [String]) async throws -> [String: Any] {
        let outcome = try await simulate(arguments + ["--json"])
        #expect(outcome.exitCode == 0, "\(outcome.output)")
        return try #require(JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    /// A model of arXiv 2401.10241 with 8 stages: sequences, milliseconds of F, B, W and a message, bubbles of ZB-1p
    /// and ZB-2p.
    @Test(arguments: [
        (24, 18.522, 18.086, 9.337, 0.601, 0.1585, 0.0433), (32, 18.513, 18.086, 9.331, 0.626, 0.1242, 0.0039),
        (64, 18.546, 18.097, 9.321, 0.762, 0.0674, 0.0026), (24, 29.718, 29.444, 19.927, 0.527, 0.1323, 0.0029),
        (32, 29.802, 29.428, 19.530, 0.577, 0.1045, 0.0022), (64, 29.935, 29.621, 19.388, 0.535, 0.0554, 0.0010),
    ])
    func autoReachesThePublishedBubbles(
        sequences: Int, forward: Double, input: Double, weight: Double, message: Double, one: Double, two: Double
    ) async throws {
        for (cap, published) in [("8", one), ("16", two), ("2x", two)] {
            let found = try await json([
                "--stages", "8", "--sequences", "\(sequences)", "--slices", "1", "--schedule", "auto", "--cap", cap,
                "--forward", "\(forward)", "--backward-input", "\(input)", "--backward-weight", "\(weight)",
                "--message",
                "\(message)",
            ])
            let bubble = try #require(found["bubble"] as? Double)
            let peaks = try #require(found["peak_units"] as? [Double])
            #expect(abs(bubble - published) < 0.003)
            #expect(peaks.count == 8 && peaks.allSatisfy { $0 <= (Double(cap) ?? 16) })
            #expect(found["makespan"] is Double && (found["bubble_per_rank"] as? [Double])?.count == 8)
        }
    }

    @Test func aCapInBytesIsTheSameCap() async throws {
        let shape = ["--stages", "4", "--sequences", "8", "--schedule", "auto", "--unit-bytes", "1MiB"]
        let units = try await json(shape + ["--cap", "8"])
        let bytes = try await json(shape + ["--cap", "8MiB"])
        #expect(units["makespan"] as? Double == bytes["makespan"] as? Double)
        #expect((bytes["peak_bytes"] as? [Double])?.allSatisfy { $0 <= 8 * 1_048_576 } ?? false)
    }

    @Test func theMeasureOfPeaksIsSaid() async throws {
        let split = try await simulate(["--schedule", "zb-h1", "--no-draw"])
        #expect(
            split.output.contains("units count 1 from forward to input gradient, 0.4 from there to weight gradient"))
        let whole = try await simulate(["--schedule", "zb-h1", "--no-draw", "--weight-share", "1"])
        #expect(!whole.output.contains("units count"))
        let help = try await simulate(["--help"])
        #expect(help.output.contains("--weight-share") && help.output.contains("zero-bubble"))
    }

    @Test(arguments: [
        (["--stages", "0"], "at least 1"), (["--sequences", "0"], "sequences"), (["--slices", "-1"], "slices"),
        (["--stages", "1000000000"], "--stages: expected at most 1048576, found 1000000000"),
        (["--stages", "1048576", "--sequences", "2147483647"], "can be simulated"),
        (["--sequences", "2147483647", "--slices", "2147483647"], "can be simulated"),
        (["--sequences", "2000000", "--schedule", "auto"], "can be searched by auto"),
        (["--virtual", "1048576", "--schedule", "interleaved", "--stages", "1000"], "can be simulated"),
        (["--forward", "-1"], "--forward: expected at least 0 milliseconds, found -1"),
        (["--forward", "1e308"], "--forward: expected at most 3.6e9 milliseconds (a thousand hours), found 1e+308"),
        (["--unit-bytes", "1e300"], "--unit-bytes: expected bytes"), (["--slow", "1:1e300"], "a factor from 0.001"),
        (["--slow", "1:2", "--slow", "1:3"], "rank 1 is given twice"),
        (["--stages", "2", "--link", "0-7:1us,1gbit"], "--link: nodes are 0, 1, found node 7"),
        (["--stages", "2", "--link", "0-0:1us,1gbit"], "node 0 has one rank, which sends itself nothing"),
        (["--stages", "2", "--link", "0-1:1us,1gbit", "--link", "1-0:2us,1gbit"], "given twice"),
        (["--network", "5us"], "--network: expected latency,bandwidth such as 5us,25gbit"),
        (["--network", "5,25"], "with a latency in ns, us, ms or s"),
        (["--columns", "39"], "--columns: expected at least 40"),
        (["--columns", "80", "--json"], "--columns changes nothing beside --json"),
        (["--columns", "80", "--no-draw"], "--columns changes nothing beside --no-draw"),
        (["--draw", "--json"], "--draw changes nothing beside --json"),
        (["--messages"], "--messages changes nothing without --svg"),
        (["--overwrite"], "--overwrite changes nothing without"),
        (["--local-network", "1us,1gbit"], "--local-network changes nothing"),
        (["--nodes", "0,0,1,1"], "--nodes changes nothing"),
        (["--compare", "all", "--svg", "x.svg"], "--svg changes nothing beside --compare"),
        (["--compare", "all", "--schedule", "zbv"], "--schedule changes nothing beside --compare"),
        (["--compare", "all", "--save", "x"], "--save changes nothing beside --compare"),
        (["--against", ".", "--stages", "2"], "--stages changes nothing beside --against"),
        (["--against", ".", "--cap", "2"], "--cap changes nothing beside --against"),
        (["--against", ".", "run.toml"], "RUN changes nothing beside --against"),
        (["--compare", "1f1b,zigzag"], "no schedule 'zigzag'"),
        (["/nowhere.toml"], "cannot read the configuration file"),
        (["--schedule", "2f2b"], "no schedule '2f2b'"),
        (["--schedule", "/tmp"], "expected a text file"),
        (["--schedule", "/proc/self/exe"], "expected a text file"), (["--cap", "lots"], "cap in units"),
        (["--cap", "0.5", "--schedule", "auto"], "needs at least 1"),
        (["--cap", "1GiB", "--schedule", "auto"], "unit_bytes"), (["--weight-share", "2"], "--weight-share"),
        (["--forward", "inf"], "--forward"), (["--forward", "nan"], "--forward"), (["--slow", "9:2"], "rank in 0..<4"),
        (["--slow", "x"], "RANK:FACTOR"), (["--nodes", "0,1"], "4 node numbers"), (["--link", "0:1"], "NODE-NODE"),
        (["--network", "fast"], "latency,bandwidth"), (["--costs", "/nowhere.json"], "cannot read"),
        (["--virtual", "3", "--schedule", "zbv"], "2 stages a rank"), (["--against", "/nowhere"], "cannot read"),
        (["--svg", "/nowhere/at/all.svg"], "cannot write"),
    ])
    func whatCannotBeIsRefused(arguments: [String], words: String) async throws {
        let outcome = try await simulate(arguments)
        #expect(outcome.exitCode != 0 && outcome.exitCode < 128)
        #expect(outcome.output.contains(words), "\(outcome.output)")
    }

    /// A schedule file for two ranks in a folder of its own.
    private func schedule(in space: Workspace) async throws -> String {
        let path = space.path + "/two.schedule"
        let saved = try await simulate(
            ["--stages", "2", "--sequences", "3", "--slices", "2", "--no-draw", "--save", path])
        #expect(saved.exitCode == 0, "\(saved.output)")
        return path
    }

    @Test("a schedule file brings its own shape, and options that say another are refused")
    func shapesOfFiles() async throws {
        let space = try Workspace()
        let file = try await schedule(in: space)
        let found = try await json(["--schedule", file, "--slow", "1:2"])
        #expect(found["ranks"] as? Int == 2 && found["sequences"] as? Int == 3 && found["slices"] as? Int == 2)
        #expect(try await simulate(["--schedule", file, "--stages", "2", "--slices", "2"]).exitCode == 0)
        for (arguments, words) in [
            (["--stages", "3"], "--stages: \(file) is a schedule for 2 stages"),
            (["--sequences", "8"], "--sequences:"),
            (["--virtual", "2"], "--virtual:"), (["--slow", "3:2"], "rank in 0..<2"),
        ] {
            let outcome = try await simulate(["--schedule", file] + arguments)
            #expect(outcome.exitCode == 64 && outcome.output.contains(words), "\(outcome.output)")
        }
        // The others take the file's shape.
        let compared = try await simulate(["--compare", "\(file), zb-h1,gpipe"])
        #expect(compared.exitCode != 0 && compared.output.contains("no schedule 'gpipe'"))
        let both = try await simulate(["--compare", "\(file), zb-h1", "--json"])
        #expect(both.output.components(separatedBy: "\"sequences\": 3").count - 1 == 2, "\(both.output)")
        for (bytes, words) in [
            (Data([0xFF, 0xFE, 0x67, 0]), "UTF-16"), (Data([0x67, 0xC3, 0x28]), "no UTF-8 text"),
            (Data([0x67, 0]), "NUL character"),
        ] {
            try bytes.write(to: URL(fileURLWithPath: file))
            let outcome = try await simulate(["--schedule", file])
            #expect(outcome.exitCode == 64 && outcome.output.contains(words), "\(outcome.output)")
        }
    }

    @Test("options that turn out to change nothing are told, and the others are not")
    func notes() async throws {
        for (arguments, words) in [
            (["--schedule", "zb-h1", "--backward", "2"], ["--backward changes nothing here"]),
            (["--recompute-time", "2"], ["--recompute-time changes nothing here"]),
            (["--weight-share", "1"], ["--weight-share changes nothing here"]),
            (["--link", "0-3:1us,1gbit"], ["--link 0-3:1us,1gbit changes nothing here"]),
            (
                ["--stages", "1", "--message", "1", "--network", "1us,1gbit"],
                ["--message changes nothing here", "--network changes nothing here"]
            ),
            (["--backward", "2", "--backward-input", "1"], ["--backward-input changes nothing here"]),
            (["--recompute", "--recompute-time", "2", "--backward-weight", "3", "--link", "1-0:1us,1gbit"], []),
            (["--compare", "1f1b,zb-h1", "--backward", "2", "--weight-share", "1"], []),
        ] {
            let outcome = try await simulate(arguments)
            #expect(outcome.exitCode == 0, "\(outcome.output)")
            #expect(outcome.output.components(separatedBy: "note: ").count - 1 == words.count, "\(outcome.output)")
            for word in words { #expect(outcome.output.contains(word), "\(outcome.output)") }
        }
    }

    @Test("a comparison shows how idle the step leaves the ranks beside the bubble of papers")
    func idle() async throws {
        let arguments = ["--stages", "4", "--sequences", "8"]
        let steep = try await json(arguments + ["--schedule", "zb-h2"])
        #expect(try #require(steep["idle"] as? Double) > 0.05 && #require(steep["bubble"] as? Double) < 0.01)
        let text = try await simulate(arguments + ["--compare", "zb-h1,zb-h2,auto"])
        #expect(text.output.contains("idle  bubble") && text.output.contains("idle: of the whole step"))
        #expect(text.output.contains("--virtual 2 tries two"))
    }

    @Test(
        "a run's configuration gives shape, schedule and costs; options go over it; what train would refuse is left out"
    )
    func runs() async throws {
        let space = try Workspace()
        let run = space.path + "/run.toml"
        func found(_ arguments: [String]) async throws -> [String: Any] { try await json([run] + arguments) }
        let alone = try await found([])
        #expect(alone["ranks"] as? Int == 1 && alone["sequences"] as? Int == 4 && alone["slices"] as? Int == 4)
        #expect(try await simulate([run, "--no-draw"]).output.contains("leaves them to the launcher"))
        let four = try await found(["--stages", "4", "--schedule", "zb-h1", "--sequences", "2"])
        #expect(four["ranks"] as? Int == 4 && four["schedule"] as? String == "zb-h1" && four["sequences"] as? Int == 2)
        let all = try await simulate([run, "--stages", "4", "--compare", "all"])
        #expect(
            all.output.contains("interleaved: left out: interleaved has 8 stages, but the model has 4 layers"),
            "\(all.output)")
        #expect(!all.output.contains("--virtual 2 tries two"))
        let much = try await simulate([run, "--stages", "8"])
        #expect(much.exitCode != 0 && much.output.contains("model.layers = 4"))
        // Costs: of the run's folder, then of the profile beside the configuration.
        func costs(_ forward: Int) -> String {
            "{\"format\": \"gecko-costs 1\", \"stages\": [{\"forward\": \(forward), \"backward\": 0}]}"
        }
        try space.write("run.costs.json", costs(7))
        #expect(try await found([])["makespan"] as? Int == 7 * 16)
        try FileManager.default.createDirectory(atPath: space.path + "/run", withIntermediateDirectories: true)
        try space.write("run/costs.json", costs(5))
        #expect(try await found([])["makespan"] as? Int == 5 * 16)
        #expect(try await simulate([run, "--no-draw"]).output.contains("costs of \(space.path)/run/costs.json"))
        #expect(try await found(["--costs", space.path + "/run.costs.json"])["makespan"] as? Int == 7 * 16)
        // Units of another length have other costs.
        #expect(try await simulate([run, "--slices", "2", "--no-draw"]).output.contains("is not used"))
    }

    @Test("a step that is as large as it may be is simulated, and ends at once when it is told to")
    func large() async throws {
        let start = ContinuousClock.now
        let outcome = try await Mpirun.run(
            "gecko", ["simulate", "--sequences", "1000000", "--no-draw"], ranks: 0,
            signals: [(after: 0.5, number: SIGTERM)])
        #expect(outcome.exitCode == 128 + SIGTERM || outcome.exitCode == 0)
        #expect(ContinuousClock.now - start < .seconds(30))
        let drawn = try await simulate(["--sequences", "50000", "--columns", "60"])
        #expect(drawn.exitCode == 0 && drawn.output.utf8.count < 5000)
        let trace = try await simulate(["--sequences", "100000", "--no-draw", "--trace", "/nowhere.json"])
        #expect(trace.exitCode != 0 && trace.output.contains("--trace: the step has 800000 actions, expected at most"))
    }
}
