import Glibc

/// The gradient of `loss` at `x` by central differences: good to about 1e-9 for smooth functions of numbers near 1.
package func centralDifferences(at x: [Double], step: Double = 1e-5, _ loss: ([Double]) -> Double) -> [Double] {
    var moved = x
    return x.indices.map { i in
        moved[i] = x[i] + step
        let above = loss(moved)
        moved[i] = x[i] - step
        let below = loss(moved)
        moved[i] = x[i]
        return (above - below) / (2 * step)
    }
}

package func centralDifferences(at x: [Float], _ loss: ([Double]) -> Double) -> [Double] {
    centralDifferences(at: doubles(x), loss)
}

/// f'(x) by central differences.
package func slope(_ f: (Double) -> Double, at x: Double) -> Double { (f(x + 1e-5) - f(x - 1e-5)) / 2e-5 }

package func doubles(_ x: [Float]) -> [Double] { x.map(Double.init) }

package func inner(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }

package func inner(_ x: [Float], _ y: [Double]) -> Double { inner(doubles(x), y) }

package func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

package func silu(_ x: Double) -> Double { x * sigmoid(x) }

extension Array {
    /// Row `t` of a matrix with `cols` columns.
    package func row(_ t: Int, _ cols: Int) -> [Element] { Array(self[t * cols..<(t + 1) * cols]) }
}
