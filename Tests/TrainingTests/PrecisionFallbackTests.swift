import Numerics
import Testing

import Training

@Suite struct PrecisionFallbackTests {
    @Test func `without the instructions the run is float32 and says so`() {
        var configuration = RunConfiguration()
        configuration.model.precision = .bf16
        var said: [String] = []
        #expect(configuration.forThisCPU(supports: { $0 == .f32 }, say: { said.append($0) }).model.precision == .f32)
        #expect(said.count == 1 && said[0].contains("AVX512-BF16") && said[0].contains("f32"))
        said = []
        #expect(configuration.forThisCPU(supports: { _ in true }, say: { said.append($0) }).model.precision == .bf16)
        #expect(said.isEmpty)
    }

    struct Missing: Error {}

    @Test func `what is left open becomes the engine for this CPU`() {
        var configuration = RunConfiguration()
        var said: [String] = []
        func resolved(_ automatic: MatrixEngine, isThere: Bool = true) -> MatrixChoice {
            said = []
            return configuration.forThisCPU(
                supports: { _ in true }, automatic: automatic, check: { _ in if !isThere { throw Missing() } },
                say: { said.append($0) }
            ).machine.matrices
        }
        #expect(resolved(.tiles) == .tiles && said.isEmpty)
        #expect(resolved(.openblas) == .openblas && said.isEmpty)
        #expect(resolved(.openblas, isThere: false) == .tiles)
        #expect(said.count == 1 && said[0].contains("machine.matrices = \"auto\"") && said[0].contains("Missing"))
        // What was asked for stays, and is checked elsewhere.
        configuration.machine.matrices = .openblas
        #expect(resolved(.tiles, isThere: false) == .openblas && said.isEmpty)
    }
}
