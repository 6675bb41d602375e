import Hardware
import Numerics
import Testing

/// Each engine keeps what it promises about bits, through the whole pipeline.
@Suite(.serialized) struct MatrixEngineTests {
    private static func harness(_ engine: MatrixEngine) -> Harness {
        var harness = Harness()
        harness.matrices = engine
        return harness
    }

    private func promises(_ engine: MatrixEngine) throws -> BitPromises { try engine.products(on: Team()).promises }

    @Test(arguments: MatrixEngine.allCases) func stagesAndSchedules(_ engine: MatrixEngine) async throws {
        #expect(try promises(engine).isSuperset(of: [.stages, .schedules]))
        let reference = try await Self.harness(engine).run()
        for (stages, schedule) in [(2, "1f1b"), (3, "all-forward-all-backward"), (4, "zb-h1"), (2, "zbv")] {
            var harness = Self.harness(engine)
            (harness.stages, harness.schedule) = (stages, schedule)
            #expect(try await harness.run() == reference, "\(stages) stages, \(schedule)")
        }
        var uneven = Self.harness(engine)
        (uneven.stages, uneven.layers) = (2, [1, 3])
        #expect(try await uneven.run() == reference, "uneven layers")
    }

    @Test(arguments: MatrixEngine.allCases) func recompute(_ engine: MatrixEngine) async throws {
        #expect(try promises(engine).contains(.recompute))
        let reference = try await Self.harness(engine).run()
        for stages in [1, 3] {
            var harness = Self.harness(engine)
            (harness.stages, harness.recompute) = (stages, true)
            #expect(try await harness.run() == reference, "\(stages) stages")
        }
    }

    /// At a number of workers that stays the same; and at any, where that is promised.
    @Test(arguments: MatrixEngine.allCases) func workers(_ engine: MatrixEngine) async throws {
        let alone = try await Self.harness(engine).run()
        for threads in [2, 3] {
            var harness = Self.harness(engine)
            harness.threads = threads
            let several = try await harness.run()
            if try promises(engine).contains(.workers) { #expect(several == alone, "\(threads) workers") }
            (harness.stages, harness.recompute) = (2, true)
            #expect(try await harness.run() == several, "\(threads) workers, two stages")
        }
    }

    @Test func theEnginesDifferByRounding() async throws {
        let (tiles, openblas) = (try await Self.harness(.tiles).run(), try await Self.harness(.openblas).run())
        #expect(tiles.parameters != openblas.parameters)
        for (a, b) in zip(tiles.losses, openblas.losses) { #expect(abs(a / b - 1) < 1e-3, "\(a) and \(b)") }
    }
}
