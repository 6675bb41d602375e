import Foundation
import Hardware
import Numerics
import TestSupport
import Testing

/// `machine.matrices` as users meet it: which engine runs, what it promises about bits over transports and resumes, and
/// what is refused.
@Suite(.serialized) struct MatricesTests {
    private static let openblas = ["--machine.matrices", "openblas"]

    @Test func openBLASTrainsToTheSameDigestInEveryLayoutAndOverMPI() async throws {
        let space = try Workspace()
        let tiles = try await space.train(["--machine.matrices", "tiles"])
        let alone = try await space.train(Self.openblas + ["--machine.threads", "1"])
        let digest = try #require(alone.digest, "\(alone.output)")
        #expect(tiles.digest != digest)
        #expect(alone.output.contains("f32 products by OpenBLAS "), "\(alone.output)")
        #expect(tiles.output.contains("f32 products by tiles ("), "\(tiles.output)")
        let promises = try MatrixEngine.openblas.products(on: Team()).promises
        var layouts: [(overrides: [String], ranks: Int)] = [
            (["--pipeline.stages", "2", "--machine.threads", "1"], 0),
            (["--pipeline.stages", "3", "--pipeline.recompute", "true", "--machine.threads", "1"], 0),
            (["--pipeline.schedule", "zb-h1", "--machine.threads", "1"], 2),
            (["--pipeline.stash", "disk", "--machine.threads", "1"], 2),
        ]
        if promises.contains(.workers) { layouts.append((["--machine.threads", "2"], 0)) }
        for layout in layouts {
            let outcome = try await space.train(Self.openblas + layout.overrides, ranks: layout.ranks)
            #expect(outcome.digest == digest, "\(layout): \(outcome.output)")
        }
    }

    @Test func aResumedRunGoesOnWithTheSameBitsAndAnotherEngineIsTold() async throws {
        let space = try Workspace()
        let steps = ["--training.steps", "6", "--checkpoint.every", "3", "--run.overwrite", "false"]
        let whole = try await space.train(
            steps + Self.openblas + ["--machine.threads", "1", "--run.directory", space.path + "/whole"])
        let digest = try #require(whole.digest, "\(whole.output)")
        let dies = ["GECKO_FAULT": "manifest-durable:3"]
        _ = try await space.train(steps + Self.openblas + ["--machine.threads", "1"], environment: dies)
        let resumed = try await space.train(steps + Self.openblas + ["--machine.threads", "1"], ranks: 2)
        #expect(resumed.output.contains("resuming after step 3"), "\(resumed.output)")
        #expect(!resumed.output.contains("machine.matrices was"), "\(resumed.output)")
        #expect(resumed.digest == digest, "\(resumed.output)")
        let other = steps + ["--run.directory", space.path + "/other"]
        _ = try await space.train(other + Self.openblas, environment: dies)
        let changed = try await space.train(other + ["--machine.matrices", "tiles"])
        #expect(
            changed.output.contains("note: machine.matrices was \"openblas\" and is \"tiles\""), "\(changed.output)")
        #expect(changed.exitCode == 0 && changed.digest != nil && changed.digest != digest)
    }

    @Test func aResumedRunSaysThatOpenBLASComputesByAnotherCoreType() async throws {
        let space = try Workspace()
        let run = Self.openblas + ["--training.steps", "6", "--checkpoint.every", "3", "--run.overwrite", "false"]
        func core(_ name: String, _ more: [String: String] = [:]) -> [String: String] {
            more.merging(["OPENBLAS_CORETYPE": name]) { $1 }
        }
        _ = try await space.train(run, environment: core("Haswell", ["GECKO_FAULT": "manifest-durable:3"]))
        let manifest = try String(
            contentsOfFile: space.path + "/run/checkpoints/step-00000003/manifest.json", encoding: .utf8)
        #expect(manifest.contains("core type Haswell\""), "\(manifest)")
        let resumed = try await space.train(run, environment: core("Nehalem"))
        #expect(resumed.exitCode == 0 && resumed.output.contains("resuming after step 3"), "\(resumed.output)")
        let note = /note: matrices were multiplied by OpenBLAS [^ ]+, core type Haswell and now are by .*Nehalem;/
        #expect(resumed.output.contains(note), "\(resumed.output)")
        let again = try await space.train(
            run + ["--training.steps", "7"], environment: core("Nehalem"))
        #expect(!again.output.contains("matrices were multiplied by"), "\(again.output)")
    }

    /// What a run leaves says which engine it took, and `auto` goes on with the same.
    @Test func autoIsTilesWhereTheCPUHasThemAndIsNotToldAsAChange() async throws {
        let space = try Workspace()
        let steps = ["--training.steps", "6", "--checkpoint.every", "3", "--run.overwrite", "false"]
        _ = try await space.train(steps, environment: ["GECKO_FAULT": "manifest-durable:3"])
        let left = try String(contentsOfFile: space.path + "/run/config.toml", encoding: .utf8)
        #expect(left.contains("matrices = \"\(MatrixEngine.automatic.rawValue)\""), "\(left)")
        let resumed = try await space.train(steps)
        #expect(resumed.output.contains("resuming after step 3"), "\(resumed.output)")
        #expect(!resumed.output.contains("machine.matrices was"), "\(resumed.output)")
    }

    @Test func aLowerCPULevelTakesOpenBLASByItself() async throws {
        let space = try Workspace()
        let baseline = ["GECKO_CPU_LEVEL": "0"]
        let trained = try await space.train(environment: baseline)
        #expect(trained.exitCode == 0 && trained.output.contains("products by OpenBLAS "), "\(trained.output)")
        let tiles = try await space.train(["--machine.matrices", "tiles"], environment: baseline)
        #expect(tiles.output.contains("products by tiles (any CPU)"), "\(tiles.output)")
        #expect(trained.digest != nil && tiles.digest != nil && trained.digest != tiles.digest)
        let wrong = try await space.train(environment: ["GECKO_CPU_LEVEL": "6"])
        #expect(
            wrong.exitCode != 0 && wrong.output.contains("expected a level that this CPU can run"), "\(wrong.output)")
    }

    @Test func bfloat16ByOpenBLASIsRefused() async throws {
        let space = try Workspace()
        let outcome = try await space.train(Self.openblas + ["--model.precision", "bf16"])
        guard Precision.bf16.isSupported else { return }
        #expect(outcome.exitCode != 0)
        #expect(
            outcome.output.contains("machine.matrices = \"openblas\"") && outcome.output.contains("cblas_sbgemm"),
            "\(outcome.output)")
    }

    @Test func generateTakesAnEngine() async throws {
        let space = try Workspace()
        _ = try await space.train()
        for engine in ["tiles", "openblas"] {
            let text = try await space.gecko(
                "generate", space.path + "/run", "--prompt", "1 geese", "--tokens", "4", "--matrices", engine)
            #expect(text.exitCode == 0 && text.output.hasPrefix("1 geese"), "\(engine): \(text.output)")
        }
        let wrong = try await space.gecko("generate", space.path + "/run", "--matrices", "mkl")
        #expect(wrong.exitCode != 0 && wrong.output.contains("openblas"), "\(wrong.output)")
    }

    @Test func topologyNamesTheEngines() async throws {
        let space = try Workspace()
        let outcome = try await space.gecko("topology")
        let line = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("  products") })
        #expect(line.contains("tiles (") && line.contains("OpenBLAS ") && line.contains("core type "), "\(line)")
    }

    /// Linked, the library would start threads in every process and read its environment before main.
    @Test func theProgramDoesNotLinkOpenBLAS() throws {
        let program = Mpirun.programs.appendingPathComponent("gecko").path
        let run = try runProgram("/usr/bin/env", ["readelf", "-d", program])
        #expect(run.passed && run.output.contains("(NEEDED)"), "\(run.output)")
        #expect(!run.output.contains("blas"), "\(run.output)")
    }

    private struct Shapes: Decodable {
        struct Row: Decodable {
            let product, direction: String
            let m, n, k, count: Int
            let tiles_gflops, openblas_gflops: Double?
        }
        let tokens: Int
        let engines: [String: String]
        let products: [Row]
    }

    @Test func shapesMeasureEveryProductByBothEngines() async throws {
        let space = try Workspace()
        let run = try await space.gecko("bench", space.path + "/run.toml", "--shapes", "--json")
        #expect(run.exitCode == 0, "\(run.output)")
        let shapes = try JSONDecoder().decode(Shapes.self, from: Data(run.output.utf8))
        #expect(shapes.tokens == 16 && shapes.engines.count == 2)
        #expect(shapes.products.allSatisfy { ($0.tiles_gflops ?? 0) > 0 && ($0.openblas_gflops ?? 0) > 0 })
        // Six linear maps a layer and the output layer's, each in three directions.
        let linear = shapes.products.prefix(21)
        #expect(Set(linear.map(\.product)) == ["wz, wr", "wv", "wh1", "wh2", "fc1, fc3", "fc2", "output"])
        #expect(Set(linear.map(\.direction)) == ["forward", "input gradient", "weight gradient"])
        let first = try #require(linear.first)
        #expect((first.m, first.n, first.k) == (16, 48, 32))
        let text = try await space.gecko("bench", space.path + "/run.toml", "--shapes")
        #expect(text.exitCode == 0 && text.output.contains("all linear maps"), "\(text.output)")
        let nothing = try await space.gecko("bench", "--size", "XS", "--shapes", "--matrices", "tiles")
        #expect(nothing.exitCode != 0 && nothing.output.contains("--shapes measures single products"))
    }
}

/// A library under OpenBLAS' name that isn't the one that is needed.
@Suite struct WrongOpenBLASTests {
    /// The output of a run that is to use the library made of this Swift source.
    private func run(_ source: String) async throws -> Mpirun.Outcome {
        let space = try Workspace()
        try space.write("wrong.swift", source)
        let made = try runProgram(
            "/usr/bin/env",
            [
                "swiftc", "-parse-as-library", "-emit-library", "-module-name", "wrong", space.path + "/wrong.swift",
                "-o",
                space.path + "/libopenblas.so.0",
            ])
        try #require(made.passed, "\(made.output)")
        let paths = [space.path, ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]].compactMap { $0 }
        return try await space.train(
            ["--machine.matrices", "openblas"], environment: ["LD_LIBRARY_PATH": paths.joined(separator: ":")])
    }

    private static let config = """
        nonisolated(unsafe) let text = strdup("OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH Haswell SINGLE_THREADED")!
        @_cdecl("openblas_get_config") public func config() -> UnsafeMutablePointer<CChar> { text }
        """

    @Test(arguments: [(0, "serial build"), (2, "OpenMP")])
    func aBuildWhoseThreadsAreNotOursIsRefused(_ parallel: Int, _ kind: String) async throws {
        let outcome = try await run(
            "import Glibc\n" + Self.config
                + "\n@_cdecl(\"openblas_get_parallel\") public func parallel() -> CInt { \(parallel) }\n")
        #expect(outcome.exitCode != 0)
        #expect(outcome.output.contains(kind) && outcome.output.contains("SINGLE_THREADED"), "\(outcome.output)")
        #expect(outcome.output.contains("libopenblas0-pthread"), "\(outcome.output)")
    }

    @Test func anotherLibraryIsRefused() async throws {
        let outcome = try await run("public let nothing = 0\n")
        #expect(outcome.exitCode != 0 && outcome.output.contains("it is no OpenBLAS"), "\(outcome.output)")
    }

    /// Where the CPU asks for OpenBLAS and it can't be had, the run says so and goes on.
    @Test func aFileThatIsNoLibraryIsToldAndAutoComputesWithoutIt() async throws {
        let space = try Workspace()
        try space.write("libopenblas.so.0", "no library\n")
        let paths = [space.path, ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]].compactMap { $0 }
        let environment = ["LD_LIBRARY_PATH": paths.joined(separator: ":")]
        let asked = try await space.train(["--machine.matrices", "openblas"], environment: environment)
        #expect(asked.exitCode != 0 && asked.output.contains("libopenblas.so.0 cannot be opened"), "\(asked.output)")
        let auto = try await space.train(environment: environment.merging(["GECKO_CPU_LEVEL": "0"]) { $1 })
        #expect(auto.exitCode == 0 && auto.output.contains("warning: machine.matrices = \"auto\""), "\(auto.output)")
        #expect(auto.output.contains("products by tiles (any CPU)"), "\(auto.output)")
    }
}
