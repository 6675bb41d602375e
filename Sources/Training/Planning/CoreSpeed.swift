import Files
import Foundation
import Hardware
import Numerics

/// How fast one core of this machine multiplies matrices.
package enum CoreSpeed {
    /// GFLOP/s of products in the format in which this CPU computes the run.
    package static func measureGFLOPS(for configuration: RunConfiguration) -> Double {
        measureGFLOPS(configuration.forThisCPU { Console.complain($0) }.model.precision)
    }

    /// GFLOP/s of products of the sizes that training has; takes about a tenth of a second.
    package static func measureGFLOPS(_ precision: Precision = .f32) -> Double {
        let size = 768
        let (a, b, c) = (FloatBuffer(size * size), FloatBuffer(size * size), FloatBuffer(size * size))
        for i in 0..<size * size {
            a.base[i] = Float(i % 13) - 6
            b.base[i] = Float(i % 7) - 3
        }
        let engine = MatrixEngine(Team(), precision: precision)
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0..<6 {
            let time = clock.measure {
                engine.run(false, false, size, size, size, a.base, size, b.base, size, 0, c.base, size)
            }
            best = min(best, time / .seconds(1))
        }
        return 2 * Double(size * size * size) / best / 1e9
    }
}
