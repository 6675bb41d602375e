import Kernels

/// This machine's single-core peak of fused multiply-adds, measured.
package enum MultiplyAddPeak {
    /// FLOP/s of one core, the best of a few short runs (about 10 ms in all).
    package static func measure(clock: () -> Double) -> Double {
        let rounds = 20_000
        var best = 0.0
        var sink: Float = 0
        for _ in 0..<8 {
            let t = clock()
            sink += KernelTable.best.multiplyAddPeak(rounds, 1.5)
            best = max(best, Double(rounds) * 24 * 32 / (clock() - t))
        }
        precondition(sink != 0, "the multiply-add chain must not be optimised away")
        return best
    }
}
