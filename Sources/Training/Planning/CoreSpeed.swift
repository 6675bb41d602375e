import Files
import Foundation
import Hardware
import Numerics

/// How fast one core of this machine multiplies matrices.
package enum CoreSpeed {
    /// GFLOP/s of products in the format in which this CPU computes the run.
    package static func measureGFLOPS(for configuration: RunConfiguration) -> Double {
        let resolved = configuration.forThisCPU { Console.complain($0) }
        let (engine, precision) = (resolved.machine.matrices.engine ?? .automatic, resolved.model.precision)
        do { return measureGFLOPS(try engine.products(on: Team(), precision: precision)) } catch {
            Console.complain("warning: \(error). Measuring tiles in its place")
            return measureGFLOPS(TileProducts(Team(), precision: precision))
        }
    }

    /// GFLOP/s of products of the sizes that training has; takes about a tenth of a second.
    private static func measureGFLOPS(_ engine: any MatrixProducts) -> Double {
        let size = 768
        let (a, b, c) = (FloatBuffer(size * size), FloatBuffer(size * size), FloatBuffer(size * size))
        for i in 0..<size * size {
            a.base[i] = Float(i % 13) - 6
            b.base[i] = Float(i % 7) - 3
        }
        let product = Product(
            rows: size, columns: size, depth: size, Factor(a.base, stride: size), Factor(b.base, stride: size),
            to: Destination(c.base, stride: size))
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0..<6 {
            let time = clock.measure { engine.multiply(product) }
            best = min(best, time / .seconds(1))
        }
        return 2 * Double(size * size * size) / best / 1e9
    }
}
