import Foundation
import Numerics

extension RunConfiguration {
    /// The engine for matrix products: what is left open is what serves this CPU best.
    package var matrixEngine: MatrixEngine { machine.matrices.engine ?? .automatic }

    /// The configuration as this CPU can compute it: without bfloat16 instructions matrix products are float32, and the
    /// engine for them that is left open is the one that serves this CPU best. `say` tells what is not as asked for.
    ///
    /// - Parameters:
    ///   - automatic: the engine that serves this CPU best
    ///   - check: throws what keeps an engine from working here
    package func forThisCPU(
        supports: (Precision) -> Bool = \.isSupported, automatic: MatrixEngine = .automatic,
        check: (MatrixEngine) throws -> Void = { try $0.check(.f32) }, say: (String) -> Void
    ) -> RunConfiguration {
        var configuration = self
        if !supports(model.precision) {
            say(
                "warning: model.precision = \"\(model.precision.rawValue)\" needs a CPU with AVX512-BF16, which this "
                    + "one is not: computing in \"f32\""
            )
            configuration.model.precision = .f32
        }
        guard machine.matrices == .auto else { return configuration }
        configuration.machine.matrices = MatrixChoice(automatic)
        do { if automatic != .tiles { try check(automatic) } } catch {
            say(
                "warning: machine.matrices = \"auto\": this CPU has neither AVX2 nor AVX-512, for which "
                    + "\(automatic.rawValue) would serve it best, but \(error). Computing with slow tiles")
            configuration.machine.matrices = .tiles
        }
        return configuration
    }

    /// Refuses a node that can't compute as rank 0 has resolved.
    package func checkArithmetic() throws {
        let host = ProcessInfo.processInfo.hostName
        guard model.precision.isSupported else {
            throw ConfigurationError([
                "model.precision = \"\(model.precision.rawValue)\": the CPU of \(host) has no "
                    + "instructions for it, but rank 0's has: set model.precision to \"f32\", or use nodes of one kind"
            ])
        }
        do { try matrixEngine.check(model.precision) } catch {
            throw ConfigurationError(["machine.matrices = \"\(machine.matrices.rawValue)\" on \(host): \(error)"])
        }
    }
}
