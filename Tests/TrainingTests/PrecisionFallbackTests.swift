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
}
