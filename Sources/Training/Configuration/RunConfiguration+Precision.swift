import Numerics

extension RunConfiguration {
    /// The configuration as this CPU can compute it: without bfloat16 instructions matrix products are float32, and `say` tells so.
    package func forThisCPU(supports: (Precision) -> Bool = \.isSupported, say: (String) -> Void) -> RunConfiguration {
        guard !supports(model.precision) else { return self }
        say(
            "warning: model.precision = \"\(model.precision.rawValue)\" needs a CPU with AVX512-BF16, which this one is not: computing in \"f32\""
        )
        var configuration = self
        configuration.model.precision = .f32
        return configuration
    }
}
