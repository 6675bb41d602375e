import Hardware
import Kernels
import Numerics

/// What one core of this machine can do at the most, measured here and now.
package struct MachineLimits: Sendable {
    /// Single-precision fused multiply-adds, FLOP/s.
    package var multiplyAdd: Double
    /// FLOP/s of a tile of a bfloat16 product whose factors lie in the first cache; nil where the CPU has no such
    /// instructions.
    package var bfloat16: Double?
    /// Bytes/s that a long y += x moves (two reads and a write), far beyond the caches.
    package var bandwidth: Double

    /// Takes about 0.2 s.
    package static func measure() -> MachineLimits {
        MachineLimits(
            multiplyAdd: MultiplyAddPeak.measure { MonotonicClock.seconds },
            bfloat16: KernelTable.best.bfloat16Tile.map(measure), bandwidth: measureBandwidth())
    }

    /// The better of two measurements: a core is never faster than its limit, but often slowed down.
    func merged(_ other: MachineLimits) -> MachineLimits {
        MachineLimits(
            multiplyAdd: max(multiplyAdd, other.multiplyAdd),
            bfloat16: bfloat16.map { max($0, other.bfloat16 ?? 0) }, bandwidth: max(bandwidth, other.bandwidth))
    }

    /// What products in this precision can reach.
    func peak(_ precision: Precision) -> Double { precision == .bf16 ? bfloat16 ?? multiplyAdd : multiplyAdd }

    private static func measure(_ tile: MatrixTile) -> Double {
        let (words, rounds) = (128, 2000)
        let a = FloatBuffer(words * tile.rows)
        let b = FloatBuffer(words * tile.columns)
        let c = FloatBuffer(tile.rows * tile.columns)
        for buffer in [a, b, c] { buffer.clear() }
        let cells = TileCells(c.base, stride: tile.columns, rows: tile.rows, columns: tile.columns)
        var best = 0.0
        for _ in 0..<8 {
            let start = MonotonicClock.seconds
            for _ in 0..<rounds { tile.multiply(words, a.base, b.base, cells, 1, true) }
            let flops = 2.0 * Double(rounds * words * tile.step * tile.rows * tile.columns)
            best = max(best, flops / (MonotonicClock.seconds - start))
        }
        return best
    }

    private static func measureBandwidth() -> Double {
        let count = 1 << 24
        let (x, y) = (FloatBuffer(count), FloatBuffer(count))
        // Memory that was never written may all be one page of zeros.
        x.clear()
        y.clear()
        var best = Double.infinity
        for _ in 0..<4 {
            let start = MonotonicClock.seconds
            KernelTable.best.tokens.elementwise.addTo(y.base, x.base, count)
            best = min(best, MonotonicClock.seconds - start)
        }
        return 3 * 4 * Double(count) / best
    }
}
