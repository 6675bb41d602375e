import Glibc
import Hardware
import KernelInterface
import Kernels

/// AdamW's constants (Loshchilov and Hutter, arXiv 1711.05101).
package struct AdamW: Sendable, Equatable {
    package var beta1 = 0.9
    package var beta2 = 0.95
    package var eps = 1e-8
    package var weightDecay = 0.1

    package init() {}

    package init(beta1: Double, beta2: Double, eps: Double, weightDecay: Double) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.weightDecay = weightDecay
    }

    /// Step `step` (from 1) of one tensor. `clip` multiplies the gradient; `decays` tells whether weight decay applies.
    package func update(
        _ team: Team, values: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
        first: UnsafeMutablePointer<Float>, second: UnsafeMutablePointer<Float>, count: Int, step: Int, rate: Double,
        clip: Float, decays: Bool
    ) {
        let numbers = AdamWStep(
            clip: clip, beta1: Float(beta1), beta2: Float(beta2),
            firstCorrection: Float(1 / (1 - pow(beta1, Double(step)))),
            secondCorrection: Float(1 / (1 - pow(beta2, Double(step)))), rate: Float(rate),
            decay: Float(decays ? rate * weightDecay : 0), eps: Float(eps))
        let parts = Self.parts(count, workers: team.count)
        team.forEach(parts, as: .optimizer) { part in
            let r = Self.range(of: part, in: parts, count: count)
            let o = r.lowerBound
            KernelTable.best.training.adamW(
                AdamWArguments(
                    values: values + o, first: first + o, second: second + o, gradient: gradient + o, count: r.count,
                    step: numbers))
        }
    }

    /// How many workers share a tensor.
    package static func parts(_ count: Int, workers: Int) -> Int { min(workers, (count + 4095) / 4096) }

    /// What worker `part` updates.
    package static func range(of part: Int, in parts: Int, count: Int) -> Range<Int> {
        (count * part / parts / 16 * 16)..<(part + 1 == parts ? count : count * (part + 1) / parts / 16 * 16)
    }
}
