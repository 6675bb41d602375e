import Hardware
import Kernels
import Numerics

/// What one core of this machine can do at the most, measured here and now.
package struct MachineLimits: Sendable {
    /// Single-precision fused multiply-adds, FLOP/s.
    package var multiplyAdd: Double
    /// Bytes/s that a long y += x moves (two reads and a write), far beyond the caches.
    package var bandwidth: Double

    /// Takes about 0.2 s.
    package static func measure() -> MachineLimits {
        MachineLimits(multiplyAdd: MultiplyAddPeak.measure { MonotonicClock.seconds }, bandwidth: measureBandwidth())
    }

    /// The better of two measurements: a core is never faster than its limit, but often slowed down.
    func merged(_ other: MachineLimits) -> MachineLimits {
        MachineLimits(
            multiplyAdd: max(multiplyAdd, other.multiplyAdd), bandwidth: max(bandwidth, other.bandwidth))
    }

    private static func measureBandwidth() -> Double {
        let count = 1 << 24
        let (x, y) = (FloatBuffer(count), FloatBuffer(count))
        var best = Double.infinity
        for _ in 0..<4 {
            let start = MonotonicClock.seconds
            KernelTable.best.addTo(y.base, x.base, count)
            best = min(best, MonotonicClock.seconds - start)
        }
        return 3 * 4 * Double(count) / best
    }
}
