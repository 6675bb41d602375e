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

    /// What of a step all tensors share.
    package struct Step: Sendable {
        /// From 1.
        package var number: Int
        package var rate: Double
        /// Multiplies the gradients.
        package var clip: Float

        package init(number: Int, rate: Double, clip: Float) {
            self.number = number
            self.rate = rate
            self.clip = clip
        }
    }

    /// A tensor with its gradient and its first and second moments, `count` floats each.
    package struct Tensor {
        package var values: UnsafeMutablePointer<Float>
        package var gradient: UnsafePointer<Float>
        package var first, second: UnsafeMutablePointer<Float>
        package var count: Int
        /// Whether weight decay applies.
        package var decays: Bool

        package init(
            @_nonEphemeral values: UnsafeMutablePointer<Float>, @_nonEphemeral gradient: UnsafePointer<Float>,
            @_nonEphemeral first: UnsafeMutablePointer<Float>, @_nonEphemeral second: UnsafeMutablePointer<Float>,
            count: Int, decays: Bool
        ) {
            self.values = values
            self.gradient = gradient
            self.first = first
            self.second = second
            self.count = count
            self.decays = decays
        }
    }

    /// One step of one tensor.
    package func update(_ team: Team, _ tensor: Tensor, _ step: Step) {
        let numbers = AdamWStep(
            clip: step.clip, first: Self.moment(beta1, step.number), second: Self.moment(beta2, step.number),
            rate: Float(step.rate), decay: Float(tensor.decays ? step.rate * weightDecay : 0), eps: Float(eps))
        let parts = Self.parts(tensor.count, workers: team.count)
        team.forEach(parts, as: .optimizer) { part in
            let r = Self.range(of: part, in: parts, count: tensor.count)
            let o = r.lowerBound
            KernelTable.best.training.adamW(
                AdamWArguments(
                    values: tensor.values + o, first: tensor.first + o, second: tensor.second + o,
                    gradient: tensor.gradient + o, count: r.count, step: numbers))
        }
    }

    private static func moment(_ beta: Double, _ step: Int) -> AdamWMoment {
        AdamWMoment(beta: Float(beta), correction: Float(1 / (1 - pow(beta, Double(step)))))
    }

    /// How many workers share a tensor.
    package static func parts(_ count: Int, workers: Int) -> Int { min(workers, (count + 4095) / 4096) }

    /// What worker `part` updates.
    package static func range(of part: Int, in parts: Int, count: Int) -> Range<Int> {
        (count * part / parts / 16 * 16)..<(part + 1 == parts ? count : count * (part + 1) / parts / 16 * 16)
    }
}
